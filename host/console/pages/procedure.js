/**
 * One procedure: what it does, a form made from its types, and what came of the call.
 */
import { call, submit, HostError } from "../lib/api.js";
import { blank, draftOf } from "../lib/draft.js";
import { encodeArguments } from "../lib/encode.js";
import { Field, Faults } from "../form/field.js";
import { JobPanel } from "../parts/job-panel.js";
import { Outcome, shownType, spoken } from "../parts/outcome.js";
import { html, useEffect, useMemo, useRef, useState, useNow } from "../parts/ui.js";
import { About } from "./about.js";
import { Snippets } from "./snippets.js";

/** What was filled in, for who comes back to a procedure. A new signature begins anew. */
const kept = new Map();

const start = (procedure) => ({
  drafts: procedure.parameters.map(({ type, ...rest }) =>
    "default" in rest ? draftOf(type, rest.default) : blank(type),
  ),
  outcome: null,
  job: null,
});

export function Procedure({ procedure }) {
  const key = `${procedure.name} ${procedure.signature}`;
  const [state, setState] = useState(() => kept.get(key) ?? start(procedure));
  const [tried, setTried] = useState(false);
  const [running, setRunning] = useState(null);
  const form = useRef(null);
  const { drafts, outcome, job } = state;
  const { text, faults } = useMemo(
    () => encodeArguments(procedure.parameters, drafts),
    [procedure, drafts],
  );

  useEffect(() => {
    kept.set(key, state);
  }, [key, state]);
  // Who leaves the page does not wait for the call.
  const waiting = useRef(null);
  useEffect(() => () => waiting.current?.abort(), []);

  const fill = (i) => (draft) =>
    setState((old) => ({ ...old, drafts: old.drafts.map((one, j) => (j === i ? draft : one)) }));
  const ready = () => {
    setTried(true);
    if (!faults.size) return true;
    // After the faults are drawn.
    setTimeout(() => form.current?.querySelector("[aria-invalid]")?.focus());
    return false;
  };
  const run = async (work) => {
    if (running || !ready()) return;
    const controller = new AbortController();
    waiting.current = controller;
    setRunning({ controller, since: Date.now() });
    const result = await work(controller.signal);
    waiting.current = null;
    setRunning(null);
    setState((old) => ({ ...old, outcome: null, job: null, ...result }));
  };
  const callNow = () =>
    run(async (signal) => ({ outcome: await call(procedure.name, text, signal) }));
  const asJob = () =>
    run(async () => {
      try {
        return { job: (await submit(procedure.name, text)).id };
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        return { outcome: { failure: error.failure, status: error.status, receipt: null } };
      }
    });
  const onSubmit = (event) => {
    event.preventDefault();
    // As its author means it to be called.
    if (procedure.mode === "async") asJob();
    else callNow();
  };
  const onKeyDown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      onSubmit(event);
    }
  };
  const said = useMemo(() => spoken(outcome), [outcome]);
  const type = shownType(procedure.result);
  const prefersJob = procedure.mode === "async";
  return html`
    <article class="procedure">
      <${About} procedure=${procedure} />
      <form
        ref=${form}
        onSubmit=${onSubmit}
        onKeyDown=${onKeyDown}
        noValidate
        aria-label=${`Arguments of ${procedure.name}`}
      >
        <${Faults.Provider} value=${tried ? faults : NONE}>
          ${procedure.parameters.map(
            (parameter, i) => html`
              <${Field}
                key=${parameter.name}
                name=${parameter.name}
                type=${parameter.type}
                draft=${drafts[i]}
                onChange=${fill(i)}
                path=${parameter.name}
              />
            `,
          )}
        <//>
        <div class="actions">
          <button
            type=${prefersJob ? "button" : "submit"}
            class=${prefersJob ? "" : "primary"}
            onClick=${prefersJob ? callNow : undefined}
            disabled=${running !== null}
          >
            Call
          </button>
          <button
            type=${prefersJob ? "submit" : "button"}
            class=${prefersJob ? "primary" : ""}
            onClick=${prefersJob ? undefined : asJob}
            disabled=${running !== null}
          >
            Run as a job
          </button>
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
      <section class="answer" aria-label="Result" aria-busy=${String(running !== null)}>
        ${
          outcome &&
          html`
          <h2>Result</h2><${Outcome} outcome=${outcome} type=${type} name=${procedure.name} empty=${type === null} />
        `
        }
        ${job && html`<h2>Job</h2><${JobPanel} key=${job} id=${job} result=${procedure.result} known link />`}
      </section>
      <${Snippets} procedure=${procedure} text=${text} complete=${faults.size === 0} />
    </article>
  `;
}

const NONE = new Map();

function Waiting({ running }) {
  const passed = (useNow(100) - running.since) / 1000;
  if (passed < 0.3) return null;
  return html`
    <span class="waiting"><span class="spinner" aria-hidden="true"></span>${passed.toFixed(1)} s</span>
    <button type="button" class="quiet" onClick=${() => running.controller.abort()}>Stop waiting</button>
  `;
}
