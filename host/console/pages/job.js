/**
 * One job by its handle: a page to come back to, with what it was called with, to run it again.
 */
import { job as fetchJob, jobArguments } from "../lib/api.js";
import { edit, runAgain } from "../lib/again.js";
import { write } from "../lib/exact.js";
import { to } from "../lib/route.js";
import { Arguments, SaveArguments } from "../parts/arguments.js";
import { JobPanel } from "../parts/job-panel.js";
import { Copy, Icon, html, useEffect, useState } from "../parts/ui.js";

export function Job({ id, live }) {
  const [told, setTold] = useState({ name: null, given: null, error: null });
  useEffect(() => {
    let gone = false;
    const tell = (part) => !gone && setTold((old) => ({ ...old, ...part }));
    fetchJob(id)
      .then((job) => {
        tell({ name: job.procedure });
        return jobArguments(id).then((given) => tell({ given }));
      })
      .catch((error) => tell({ error }));
    return () => {
      gone = true;
    };
  }, [id]);
  const { name, given, error } = told;
  const procedure = live.catalog?.procedures.find((one) => one.name === name) ?? null;
  return html`
    <div class="page">
      <a class="back always" href="#/jobs"><${Icon} name="back" />All jobs</a>
      <h1 data-heading>${name ? html`<a href=${to("procedures", name)}>${name}</a>` : "Job"}</h1>
      <p class="handle"><span class="mono">${id}</span><${Copy} text=${id} /></p>
      ${name && html`<${Given} id=${id} given=${given} error=${error} procedure=${procedure} />`}
      <${JobPanel} id=${id} procedure=${procedure} />
    </div>
  `;
}

/** What it was called with. */
function Given({ id, given, error, procedure }) {
  const [state, setState] = useState({ isBusy: false, error: null });
  if (error) return html`<p class="note">${error.message}</p>`;
  if (!given) return null;
  const values = given.get("arguments");
  const again = async () => {
    setState({ isBusy: true, error: null });
    try {
      const job = await runAgain(procedure, values);
      setState({ isBusy: false, error: null });
      location.hash = to("jobs", job.id);
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };
  const change = () => {
    edit(procedure, values);
    location.hash = to("procedures", procedure.name);
  };
  return html`
    <section class="job-given" aria-labelledby="job-given">
      <h2 id="job-given">Arguments</h2>
      <${Arguments} texts=${shownOf(given, procedure)} label="Arguments of the job" />
      ${!values && html`<p class="note">It cannot be run again as it was: ${given.get("problem")}</p>`}
      <p class="tools">
        ${
          values &&
          procedure &&
          html`
          <button type="button" class="small" disabled=${state.isBusy} onClick=${again}>Run again</button>
          <button type="button" class="small" onClick=${change}>Edit and run</button>
        `
        }
        <${SaveArguments} texts=${textsOf(given)} name=${given.get("procedure")} />
      </p>
      ${state.error && html`<p class="note bad" role="alert">${state.error.message}</p>`}
    </section>
  `;
}

/** A request has several parts, of which the first must not hide the others. */
function shownOf(given, procedure) {
  const values = given.get("arguments");
  if (!values || !procedure?.web) return textsOf(given);
  const [request] = values.values();
  return new Map([...request].map(([name, value]) => [name, write(value)]));
}

/** By name or, of those that fit no signature, as far as they have names. */
function textsOf(given) {
  const named = given.get("arguments") ?? given.get("named") ?? new Map();
  const positional = (given.get("positional") ?? []).map((value, i) => [`${i + 1}`, value]);
  return new Map([...positional, ...named].map(([name, value]) => [name, write(value)]));
}
