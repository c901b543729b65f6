/**
 * One procedure: what it does, a form made from its types, and what came of the call.
 */
import { call, submit, HostError } from "../lib/api.js";
import { takeApart } from "../lib/docs.js";
import { prefill, useDrafts } from "../lib/drafts.js";
import { encodeArguments } from "../lib/encode.js";
import { parse, write } from "../lib/exact.js";
import { Faults } from "../form/fault.js";
import { Field } from "../form/field.js";
import { Answer } from "../parts/answer.js";
import { shownType, spoken } from "../parts/outcome.js";
import { Prose } from "../parts/prose.js";
import { html, useEffect, useMemo, useRef, useState, useNow } from "../parts/ui.js";
import { About } from "./about.js";
import { Snippets } from "./snippets.js";

/** What came of the last call, for who comes back to a procedure. */
const results = new Map();
let calls = 0;

export function Procedure({ procedure }) {
  const { name, parameters, digest } = procedure;
  const [result, setResult] = useState(() => results.get(name) ?? null);
  const [tried, setTried] = useState(false);
  const [running, setRunning] = useState(null);
  const form = useRef(null);
  const { drafts, lost, fill, clear, isTouched } = useDrafts(procedure);
  const { text, texts, faults } = useMemo(
    () => encodeArguments(parameters, drafts),
    [parameters, ...drafts],
  );
  const documentation = useMemo(
    () => takeApart(procedure.documentation, parameters.map((one) => one.name)),
    [procedure],
  );

  useEffect(() => {
    results.set(name, result);
  }, [name, result]);
  // Who leaves the page does not wait for the call.
  const waiting = useRef(null);
  useEffect(() => () => waiting.current?.abort(), []);

  const ready = () => {
    setTried(true);
    if (!faults.size) return true;
    // After the faults are drawn.
    setTimeout(() => {
      const first = form.current?.querySelector("[aria-invalid], [data-invalid] button");
      first?.focus();
    });
    return false;
  };
  const run = async (work) => {
    if (running || !ready()) return;
    const controller = new AbortController();
    waiting.current = controller;
    setRunning({ controller, since: Date.now() });
    const given = { text, texts, digest };
    const came = await work(controller.signal);
    waiting.current = null;
    setRunning(null);
    setResult({ id: ++calls, outcome: null, job: null, ...came, given });
  };
  const callNow = () => run(async (signal) => ({ outcome: await call(name, text, signal) }));
  const asJob = () =>
    run(async () => {
      try {
        return { job: (await submit(name, text)).id };
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        return { outcome: { failure: error.failure, status: error.status, receipt: null } };
      }
    });
  const prefersJob = procedure.mode === "async";
  const onSubmit = (event) => {
    event.preventDefault();
    // As its author means it to be called.
    if (prefersJob) asJob();
    else callNow();
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) onSubmit(event);
  };
  const changed =
    result && (result.given.text !== text ? "form" : result.given.digest !== digest && "procedure");
  const said = useMemo(() => spoken(result?.outcome), [result]);
  // A large result is drawn again only when it is another one.
  const answer = useMemo(
    () => html`
      <${Answer}
        result=${result}
        changed=${changed}
        type=${shownType(procedure.result)}
        procedure=${procedure}
        onRestore=${() => prefill(procedure, parse(result.given.text))}
      />
    `,
    [result, changed, procedure],
  );
  const button = (isFirst, label, act) => html`
    <button
      type=${isFirst ? "submit" : "button"}
      class=${isFirst ? "primary" : ""}
      onClick=${isFirst ? undefined : act}
      disabled=${running !== null}
    >
      ${label}
    </button>
  `;
  return html`
    <article class="procedure">
      <${About} procedure=${procedure} documentation=${documentation.text} />
      <form
        ref=${form}
        onSubmit=${onSubmit}
        onKeyDown=${onKeyDown}
        noValidate
        aria-label=${`Arguments of ${name}`}
      >
        <${Faults.Provider} value=${tried ? faults : NONE}>
          ${parameters.map(
            (parameter, i) => html`
              <${Field}
                key=${parameter.name}
                name=${parameter.name}
                type=${parameter.type}
                draft=${drafts[i]}
                onChange=${(draft) => fill(parameter, draft)}
                path=${parameter.name}
                mark=${html`<${Mark} parameter=${parameter} />`}
                about=${html`
                  <${Said}
                    text=${documentation.parameters.get(parameter.name)}
                    isLost=${lost.has(parameter.name)}
                  />
                `}
              />
            `,
          )}
        <//>
        <div class="actions">
          ${button(!prefersJob, "Call", callNow)} ${button(prefersJob, "Run as a job", asJob)}
          ${
            isTouched &&
            parameters.length > 0 &&
            html`<button type="button" class="quiet" onClick=${clear}>Clear the form</button>`
          }
          ${running && html`<${Waiting} running=${running} />`}
          ${
            tried &&
            faults.size > 0 &&
            html`
            <span class="fault" role="alert">
              ${faults.size === 1 ? "One argument does" : `${faults.size} arguments do`} not fit.
            </span>
          `
          }
        </div>
      </form>
      <p class="unseen" role="status">${running ? "" : said}</p>
      <div aria-busy=${String(running !== null)}>${answer}</div>
      <${Snippets} procedure=${procedure} text=${text} texts=${texts} complete=${faults.size === 0} outcome=${result?.outcome} />
    </article>
  `;
}

const NONE = new Map();

/** What a caller who leaves a parameter out gets for it. */
function Mark({ parameter }) {
  const { type, default: given } = parameter;
  if (given !== undefined) {
    const text = write(given);
    return html`
      <span class="mark" title=${text}>default ${text.length > 40 ? `${text.slice(0, 40)}…` : text}</span>
    `;
  }
  return type.option === undefined ? null : html`<span class="mark">optional</span>`;
}

/** What the documentation says of a parameter. */
function Said({ text, isLost }) {
  return html`
    ${text && html`<div class="said"><${Prose} text=${text} level=${3} /></div>`}
    ${
      isLost &&
      html`
      <p class="faint" role="status">
        What was here before was too large for the browser to keep over a reload; it has to be given again.
      </p>
    `
    }
  `;
}

function Waiting({ running }) {
  const passed = (useNow(100) - running.since) / 1000;
  if (passed < 0.3) return null;
  return html`
    <span class="waiting"><span class="spinner" aria-hidden="true"></span>${passed.toFixed(1)} s</span>
    <button type="button" class="quiet" onClick=${() => running.controller.abort()}>Stop waiting</button>
  `;
}
