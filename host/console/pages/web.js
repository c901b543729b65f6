/**
 * A web procedure, which takes a request as it is: a form for the method, the query and the body.
 */
import { addressOf, outcomeOf } from "../lib/api.js";
import { freshId } from "../lib/draft.js";
import { curl, javascript, python } from "../lib/web-snippets.js";
import { Outcome, spoken } from "../parts/outcome.js";
import { Code, Copy, Icon, Segments, html, useState } from "../parts/ui.js";
import { Upload } from "../form/upload.js";
import { bytes as size } from "../lib/format.js";
import { About } from "./about.js";

const TYPES = [
  ["application/json", "JSON"],
  ["application/x-www-form-urlencoded", "Form"],
  ["text/plain", "Text"],
  ["application/octet-stream", "File"],
];

const emptyPair = () => ({ id: freshId(), name: "", value: "" });
const encoded = (pairs) =>
  new URLSearchParams(
    pairs.filter(({ name }) => name).map(({ name, value }) => [name, value]),
  ).toString();

export function WebProcedure({ procedure }) {
  const { methods } = procedure.web;
  const [method, setMethod] = useState(methods[0]);
  const [query, setQuery] = useState([emptyPair()]);
  const [type, setType] = useState(TYPES[0][0]);
  const [text, setText] = useState("");
  const [fields, setFields] = useState([emptyPair()]);
  const [file, setFile] = useState(null);
  const [outcome, setOutcome] = useState(null);
  const [running, setRunning] = useState(false);

  const asked = encoded(query);
  const address = addressOf(procedure.name) + (asked && `?${asked}`);
  const isPost = method === "POST";
  const body = !isPost
    ? undefined
    : type.includes("urlencoded")
      ? encoded(fields)
      : type.includes("octet")
        ? file?.bytes
        : text;
  const send = async (event) => {
    event.preventDefault();
    setRunning(true);
    setOutcome(
      await outcomeOf(address, {
        method,
        headers:
          isPost && body !== undefined
            ? { "Content-Type": file && type.includes("octet") ? file.type : type }
            : {},
        body,
      }),
    );
    setRunning(false);
  };
  const take = async (chosen) =>
    setFile({
      name: chosen.name,
      type: chosen.type || "application/octet-stream",
      bytes: new Uint8Array(await chosen.arrayBuffer()),
    });
  const request = { method, address: location.origin + address, type, body, file };
  return html`
    <article class="procedure">
      <${About} procedure=${procedure} />
      <form onSubmit=${send} aria-label=${`Request to ${procedure.name}`}>
        ${
          methods.length > 1 &&
          html`
          <div class="field">
            <${Segments}
              name="method"
              label="Method"
              options=${methods.map((one) => [one, one])}
              value=${method}
              onChange=${setMethod}
            />
          </div>
        `
        }
        <${Pairs} title="Query" pairs=${query} onChange=${setQuery} />
        ${
          isPost &&
          html`
          <fieldset class="field group">
            <legend><span class="name">Body</span></legend>
            <div class="tools">
              <${Segments}
                name="content-type"
                label="Content type"
                options=${TYPES}
                value=${type}
                onChange=${setType}
              />
              ${
                type.includes("octet") &&
                html`
                <${Upload} label="Body: file" onFile=${take}>Choose a file<//>
              `
              }
            </div>
            ${
              type.includes("urlencoded")
                ? html`<${Pairs} title="Fields" pairs=${fields} onChange=${setFields} />`
                : type.includes("octet")
                  ? html`
                    <p class="faint">
                      ${file ? `${file.name}, ${file.type}, ${size(file.bytes.length)}` : "No file yet."}
                    </p>
                  `
                  : html`
                    <textarea
                      class="mono"
                      aria-label="Body"
                      rows="4"
                      spellcheck=${false}
                      value=${text}
                      onInput=${(event) => setText(event.target.value)}
                    >
                      
                    </textarea>
                  `
            }
          </fieldset>
        `
        }
        <div class="actions">
          <button type="submit" class="primary" disabled=${running}>Send</button>
          ${
            !isPost &&
            html`
            <a class="button" href=${address} target="_blank" rel="noreferrer">Open by itself</a>
          `
          }
          ${running && html`<span class="waiting"><span class="spinner" aria-hidden="true"></span></span>`}
        </div>
      </form>
      <p class="unseen" role="status">${running ? "" : spoken(outcome)}</p>
      <section class="answer" aria-label="Result" aria-busy=${String(running)}>
        ${outcome && html`<h2>Result</h2><${Outcome} outcome=${outcome} name=${procedure.name} />`}
      </section>
      <${InCode} request=${request} />
    </article>
  `;
}

const LANGUAGES = { curl, Python: python, JavaScript: javascript };

function InCode({ request }) {
  const [language, setLanguage] = useState("curl");
  const code = LANGUAGES[language](request);
  return html`
    <section class="snippets" aria-labelledby="snippets">
      <h2 id="snippets">The same request in code</h2>
      <div class="tools">
        <${Segments}
          name="language"
          label="Language"
          options=${Object.keys(LANGUAGES).map((one) => [one, one])}
          value=${language}
          onChange=${setLanguage}
        />
        <${Copy} text=${code} />
      </div>
      <${Code} text=${code} label=${`The request in ${language}`} />
    </section>
  `;
}

/** Names with values, to be added and removed. */
function Pairs({ title, pairs, onChange }) {
  const change = (id, part) =>
    onChange(pairs.map((pair) => (pair.id === id ? { ...pair, ...part } : pair)));
  return html`
    <fieldset class="field group">
      <legend><span class="name">${title}</span></legend>
      ${pairs.map(
        (pair, i) => html`
          <div class="pair" key=${pair.id}>
            <input
              type="text"
              aria-label=${`${title}: name ${i + 1}`}
              placeholder="name"
              value=${pair.name}
              onInput=${(event) => change(pair.id, { name: event.target.value })}
            />
            <input
              type="text"
              aria-label=${`${title}: value ${i + 1}`}
              placeholder="value"
              value=${pair.value}
              onInput=${(event) => change(pair.id, { value: event.target.value })}
            />
            <button
              type="button"
              class="quiet square"
              aria-label=${`Remove ${title.toLowerCase()} ${i + 1}`}
              onClick=${() => onChange(pairs.filter(({ id }) => id !== pair.id))}
            >
              <${Icon} name="minus" />
            </button>
          </div>
        `,
      )}
      <p class="tools">
        <button type="button" class="quiet small" onClick=${() => onChange([...pairs, emptyPair()])}>
          <${Icon} name="plus" />Add
        </button>
      </p>
    </fieldset>
  `;
}
