/**
 * A web procedure, which takes a request as it is: a form for the method, the query and the body.
 */
import { addressOf, outcomeOf } from "../lib/api.js";
import { hostAddress, pathOf } from "../lib/base.js";
import { prefillDraft, useDraft } from "../lib/drafts.js";
import { Pairs, emptyPair } from "../form/pairs.js";
import { useDrop } from "../form/take.js";
import { LongText } from "../form/text.js";
import { Upload } from "../form/upload.js";
import { Answer } from "../parts/answer.js";
import { spoken } from "../parts/outcome.js";
import { Segments, html, useEffect, useMemo, useState } from "../parts/ui.js";
import { bytes as size } from "../lib/format.js";
import { About } from "./about.js";
import { InCode } from "./web-snippets.js";

const TYPES = [
  ["application/json", "JSON"],
  ["application/x-www-form-urlencoded", "Form"],
  ["text/plain", "Text"],
  ["application/octet-stream", "File"],
];

const pairsOf = (pairs) => pairs.filter(({ name }) => name).map(({ name, value }) => [name, value]);
const encoded = (pairs) => new URLSearchParams(pairsOf(pairs)).toString();

/** A body in a few words. */
const briefly = (body, type) =>
  typeof body === "string" && body.length < 120 ? body : `${type}, ${size(body.length)}`;

/** What kind of reply it was: JSON comes in an envelope. */
const mediaTypeOf = (outcome) =>
  outcome && (outcome.bytes ? outcome.mediaType : outcome.stopped ? null : "application/json");

/** What came of the last request, for who comes back to a procedure. */
const results = new Map();
let requests = 0;

export function WebProcedure({ procedure }) {
  const { name, digest } = procedure;
  const { methods } = procedure.web;
  const [draft, change] = useDraft(name, {
    method: methods[0],
    query: [emptyPair()],
    type: TYPES[0][0],
    text: "",
    fields: [emptyPair()],
    file: null,
  });
  const { query, type, text, fields, file } = draft;
  const method = methods.includes(draft.method) ? draft.method : methods[0];
  const [result, setResult] = useState(() => results.get(name) ?? null);
  const [running, setRunning] = useState(false);
  const [tried, setTried] = useState(false);
  useEffect(() => {
    results.set(name, result);
  }, [name, result]);

  const asked = encoded(query);
  const address = addressOf(name) + (asked && `?${asked}`);
  const isPost = method === "POST";
  const isForm = type.includes("urlencoded");
  const isFile = type.includes("octet");
  const body = !isPost ? undefined : isForm ? encoded(fields) : isFile ? file?.bytes : text;
  const sentType = file?.bytes && isFile ? file.type : type;
  const isMissing = isPost && isFile && !file?.bytes;
  const isSame = (given) =>
    given.method === method &&
    given.address === address &&
    given.body === body &&
    (!isPost || given.type === sentType);
  const send = async (event) => {
    event.preventDefault();
    setTried(true);
    if (isMissing) return;
    setRunning(true);
    const given = { method, address, body, type: sentType, digest, draft };
    given.line = `${method} ${address}${body === undefined ? "" : ` ${briefly(body, sentType)}`}`;
    const outcome = await outcomeOf(address, {
      method,
      headers: isPost && body !== undefined ? { "Content-Type": sentType } : {},
      body,
    });
    setResult({ id: ++requests, outcome, given });
    setRunning(false);
  };
  const changed =
    result && (!isSame(result.given) ? "request" : result.given.digest !== digest && "procedure");
  const answer = useMemo(
    () => html`
      <${Answer}
        result=${result}
        changed=${changed}
        procedure=${procedure}
        onRestore=${() => prefillDraft(name, result.given.draft)}
      />
    `,
    [result, changed, procedure],
  );
  const take = async (chosen) => {
    const bytes = new Uint8Array(await chosen.arrayBuffer());
    const type = chosen.type || "application/octet-stream";
    change({ type: "application/octet-stream", file: { name: chosen.name, type, bytes } });
  };
  const { handlers } = useDrop();
  const request = {
    name,
    methods,
    method,
    address: hostAddress + address,
    query: pairsOf(query),
    type,
    body,
    file,
    mediaType: mediaTypeOf(result?.outcome),
  };
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
              onChange=${(method) => change({ method })}
            />
          </div>
        `
        }
        <${Pairs} title="Query" pairs=${query} onChange=${(query) => change({ query })} />
        ${
          isPost &&
          html`
          <fieldset class="field group" ...${handlers}>
            <legend><span class="name">Body</span></legend>
            <div class="tools">
              <${Segments}
                name="content-type"
                label="Content type"
                options=${TYPES}
                value=${type}
                onChange=${(type) => change({ type })}
              />
              <${Upload} label="Body: file" onFile=${take}>Choose a file<//>
            </div>
            ${
              isForm
                ? html`<${Pairs} title="Fields" pairs=${fields} onChange=${(fields) => change({ fields })} />`
                : isFile
                  ? html`
                    <p class="faint">
                      ${
                        file?.bytes
                          ? `${file.name}, ${file.type}, ${size(file.bytes.length)}`
                          : file
                            ? `No file: ${file.name} has to be chosen again, since a browser keeps no files over a reload.`
                            : "No file yet. It can also be dropped here."
                      }
                    </p>
                  `
                  : html`
                    <${LongText}
                      class="mono"
                      aria-label="Body"
                      name="the body"
                      rows="4"
                      value=${text}
                      onChange=${(text) => change({ text })}
                    />
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
            <a class="button" href=${pathOf(address)} target="_blank" rel="noreferrer">Open by itself</a>
          `
          }
          ${tried && isMissing && html`<span class="fault" role="alert">Choose a file for the body.</span>`}
          ${running && html`<span class="waiting"><span class="spinner" aria-hidden="true"></span></span>`}
        </div>
      </form>
      <p class="unseen" role="status">${running ? "" : spoken(result?.outcome)}</p>
      <div aria-busy=${String(running)}>${answer}</div>
      <${InCode} request=${request} />
    </article>
  `;
}
