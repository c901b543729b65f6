/**
 * What a procedure is: its name, signature, documentation, where it comes from and what it may use.
 */
import { addressOf } from "../lib/api.js";
import { bytes, count, seconds } from "../lib/format.js";
import { brief } from "../lib/types.js";
import { Prose } from "../parts/prose.js";
import { Icon, html } from "../parts/ui.js";
import { Versions } from "./versions.js";

/** `documentation` in place of the procedure's, where a part of it is shown elsewhere. */
export function About({ procedure, documentation = procedure.documentation }) {
  const {
    name,
    aliases = [],
    limits,
    file,
    digest,
    mode,
    suggested_wait: wait,
    access,
  } = procedure;
  const facts = [
    ["File", file, `Version ${digest}`],
    ["Deadline", seconds(limits.deadline), "How long a call may take"],
    ["Memory", bytes(limits.memory), `${limits.memory} bytes at the most`],
    ["Fuel", count(limits.fuel), `${limits.fuel} units, about one for each instruction`],
    ["Result", bytes(limits.result), "The largest result"],
    ["Output", bytes(limits.output), "Kept of standard output, and of standard error"],
    mode === "async" && [
      "Mode",
      "job",
      `Its author means it to run as a job; look at it every ${wait} s`,
    ],
    granted(access).length > 0 && [
      "Grants",
      granted(access).join(", "),
      "What it may touch outside its sandbox",
    ],
    missing(access).length > 0 && [
      "Not granted",
      missing(access).join(", "),
      "What its imports would be good for; calls that need it fail",
    ],
  ].filter(Boolean);
  const steps = name.split("/");
  return html`
    <header class="about">
      <a class="back" href="#/procedures"><${Icon} name="back" />All procedures</a>
      <h1 data-heading>
        ${steps.map((step, i) => (i < steps.length - 1 ? html`<span class="faint">${step}/</span><wbr />` : step))}
      </h1>
      <${Signature} procedure=${procedure} />
      ${
        aliases.length > 0 &&
        html`<p class="faint">Also called ${aliases.map((alias, i) => html`${i > 0 && ", "}<code>${alias}</code>`)}</p>`
      }
      ${documentation ? html`<${Prose} text=${documentation} />` : procedure.documentation ? null : html`<p class="faint">Its author wrote nothing about it.</p>`}
      <dl class="facts">
        ${facts.map(
          ([term, text, title]) => html`
          <div title=${title}><dt>${term}</dt><dd>${text}</dd></div>
        `,
        )}
      </dl>
      <${Versions} key=${file} file=${file} digest=${digest} />
    </header>
  `;
}

/** What a procedure may touch, by name. */
function granted({ granted: { environment, config, folders, http, secrets } }) {
  return [
    ...environment.map((name) => `$${name}`),
    ...config.map((key) => `configuration ${key}`),
    ...secrets.map((name) => `secret $${name}`),
    ...http,
    ...folders.map(({ guest, access }) => `${guest} (${access})`),
  ];
}

/** What it might want, and was not granted. */
function missing({ wants, granted: { config, folders, http } }) {
  const has = { files: folders.length > 0, config: config.length > 0, http: http.length > 0 };
  return wants.filter((want) => !has[want]);
}

/** In brief, with the whole of it to unfold where records and the like hide something. */
function Signature({ procedure }) {
  const { name, parameters, result, signature, web } = procedure;
  if (web) return html`<p class="signature mono">${web.methods.join(", ")} ${addressOf(name)}</p>`;
  const short = `(${parameters.map(({ name, type }) => `${name}: ${brief(type)}`).join(", ")})${result === null ? "" : ` -> ${brief(result)}`}`;
  const hides = /\b(record|variant|enum|flags) \{/.test(signature);
  if (!hides) return html`<p class="signature mono">${signature}</p>`;
  return html`
    <details class="signature mono">
      <summary>${short}</summary>
      <p>${signature}</p>
    </details>
  `;
}
