/**
 * All jobs, newest first, as they go: filtered by state and procedure, with a way to cancel.
 */
import { cancel, jobs as fetchJobs } from "../lib/api.js";
import { ago, clock, micros, seconds } from "../lib/format.js";
import { to } from "../lib/route.js";
import { Bar, STATES, State, isOver, nameOf } from "../parts/progress.js";
import { html, useEffect, useRef, useState, useNow } from "../parts/ui.js";

const PAGE = 50;

export function Jobs({ live }) {
  const [filter, setFilter] = useState({ state: "", procedure: "" });
  const [count, setCount] = useState(PAGE);
  const [listed, setListed] = useState({ jobs: null, next: null, error: null });
  const busy = useRef(false);
  const missed = useRef(false);

  /** One request at a time; what changed meanwhile is asked for afterwards. */
  const look = async (query) => {
    if (busy.current) {
      missed.current = query;
      return;
    }
    busy.current = true;
    try {
      setListed({ ...(await fetchJobs(query)), error: null });
    } catch (error) {
      setListed((old) => ({ ...old, error }));
    }
    busy.current = false;
    const next = missed.current;
    missed.current = false;
    if (next) look(next);
  };
  useEffect(() => {
    const query = [["limit", count], ...Object.entries(filter).filter(([, value]) => value)];
    look(
      filter.state === "going"
        ? [...query.filter(([key]) => key !== "state"), ["state", "queued"], ["state", "running"]]
        : query,
    );
  }, [filter, count, live.jobs]);

  const set = (name) => (event) => {
    setCount(PAGE);
    setFilter({ ...filter, [name]: event.target.value });
  };
  const names = live.catalog?.procedures.map(({ name }) => name) ?? [];
  return html`
    <div class="page">
      <h1 data-heading>Jobs</h1>
      <form class="filters" aria-label="Filter" onSubmit=${(event) => event.preventDefault()}>
        <label>State
          <select value=${filter.state} onChange=${set("state")}>
            <option value="">all</option>
            <option value="going">queued and running</option>
            ${STATES.map((state) => html`<option key=${state} value=${state}>${nameOf(state)}</option>`)}
          </select>
        </label>
        <label>Procedure
          <select value=${filter.procedure} onChange=${set("procedure")}>
            <option value="">all</option>
            ${names.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
        </label>
      </form>
      <${List} listed=${listed} filtered=${Boolean(filter.state || filter.procedure)} />
      ${
        listed.next &&
        html`
        <p class="more">
          <button type="button" onClick=${() => setCount(count + PAGE)} disabled=${count >= 1000}>
            Older jobs
          </button>
        </p>
      `
      }
    </div>
  `;
}

function List({ listed, filtered }) {
  const { jobs, error } = listed;
  if (error) return html`<p class="note bad" role="alert">${error.message}</p>`;
  if (!jobs) return html`<p class="note" role="status">Looking for jobs…</p>`;
  if (!jobs.length) {
    return html`
      <p class="note" role="status">
        ${filtered ? "No job is like this." : html`No jobs yet. “Run as a job” beside a procedure's form makes one.`}
      </p>
    `;
  }
  return html`
    <ul class="jobs" aria-label="Jobs">${jobs.map((job) => html`<${Row} key=${job.id} job=${job} />`)}</ul>
  `;
}

function Row({ job }) {
  const over = isOver(job.state);
  const now = useNow(over ? 30_000 : 1000);
  const [asked, setAsked] = useState(false);
  const stop = () => {
    setAsked(true);
    cancel(job.id).catch(() => setAsked(false));
  };
  const taken =
    job.started &&
    (job.ended ? Date.parse(job.ended) : Math.max(now, Date.parse(job.started))) -
      Date.parse(job.started);
  return html`
    <li>
      <span class="job-state"><${State} state=${job.state} /></span>
      <span class="job-name">
        <a href=${to("jobs", job.id)}>${job.procedure}</a>
        <span class="faint mono">${job.id.slice(0, 8)}…${job.id.slice(-4)}</span>
      </span>
      <span class="job-bar">
        ${job.error ? html`<span class="job-error">${job.error.type}: ${job.error.message}</span>` : html`<${Bar} job=${job} />`}
      </span>
      <span class="job-time">
        <time datetime=${job.submitted} title=${clock(job.submitted)}>${ago(job.submitted, now)}</time>
        ${
          taken !== null &&
          html`
          <span class="faint">${taken < 1000 ? micros(taken * 1000) : seconds(taken / 1000)}</span>
        `
        }
      </span>
      <span class="job-act">
        ${
          !over &&
          html`
          <button
            type="button"
            class="quiet small"
            disabled=${asked || job.cancel_requested}
            aria-label=${`Cancel ${job.procedure} ${job.id.slice(-4)}`}
            onClick=${stop}
          >
            ${asked || job.cancel_requested ? "Stopping" : "Cancel"}
          </button>
        `
        }
      </span>
    </li>
  `;
}
