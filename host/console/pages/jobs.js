/**
 * All jobs as they go: those that run, those that wait, then the others, newest first. The filter is in
 * the address.
 */
import { cancel, jobCounts, jobs as fetchJobs } from "../lib/api.js";
import { ago, clock, count, micros, seconds } from "../lib/format.js";
import { ENDED, STATES, isOver } from "../lib/job-states.js";
import { to } from "../lib/route.js";
import { Bar, State, nameOf } from "../parts/progress.js";
import { html, useEffect, useRef, useState, useNow } from "../parts/ui.js";

const PAGE = 50;
const MOST = 1000;
/** A filter for all that have not ended. */
const GOING = "going";
const GROUPS = [
  ["Running", ["running"]],
  ["Queued", ["queued"]],
  ["Ended", ENDED],
];

/** The groups that a filter lets through, with the states to ask for. */
function groupsOf(state) {
  if (state === GOING) return GROUPS.slice(0, 2);
  if (!state) return GROUPS;
  const group = GROUPS.find(([, states]) => states.includes(state));
  return [[group?.[0] ?? nameOf(state), [state]]];
}

async function ask({ state, procedure, limit }) {
  const of = procedure ? [["procedure", procedure]] : [];
  const groups = await Promise.all(
    groupsOf(state).map(async ([title, states]) => {
      const query = [["limit", limit], ...of, ...states.map((one) => ["state", one])];
      return { title, states, ...(await fetchJobs(query)) };
    }),
  );
  return { groups, counts: await jobCounts(of), error: null };
}

export function Jobs({ live, query }) {
  const filter = { state: query.get("state") ?? "", procedure: query.get("procedure") ?? "" };
  const [limit, setLimit] = useState(PAGE);
  const [listed, setListed] = useState({ groups: null, counts: null, error: null });
  const isBusy = useRef(false);
  const missed = useRef(null);

  /** One look at a time; what changed meanwhile is looked at afterwards. */
  const look = async (wanted) => {
    if (isBusy.current) {
      missed.current = wanted;
      return;
    }
    isBusy.current = true;
    try {
      setListed(await ask(wanted));
    } catch (error) {
      setListed((old) => ({ ...old, error }));
    }
    isBusy.current = false;
    const next = missed.current;
    missed.current = null;
    if (next) look(next);
  };
  useEffect(() => {
    look({ ...filter, limit });
  }, [filter.state, filter.procedure, limit, live.jobs]);

  const set = (name) => (event) => {
    const chosen = Object.entries({ ...filter, [name]: event.target.value });
    const asked = new URLSearchParams(chosen.filter(([, value]) => value)).toString();
    setLimit(PAGE);
    location.hash = `${to("jobs")}${asked && `?${asked}`}`;
  };
  const names = live.catalog?.procedures.map(({ name }) => name) ?? [];
  const all = filter.procedure && !names.includes(filter.procedure) ? [filter.procedure, ...names] : names;
  const { counts, groups, error } = listed;
  return html`
    <div class="page">
      <h1 data-heading>Jobs</h1>
      <form class="filters" aria-label="Filter" onSubmit=${(event) => event.preventDefault()}>
        <label>State
          <select value=${filter.state} onChange=${set("state")}>
            <option value="">all${numberOf(counts, STATES)}</option>
            <option value=${GOING}>queued and running${numberOf(counts, ["queued", "running"])}</option>
            ${STATES.map(
              (state) => html`
              <option key=${state} value=${state}>${nameOf(state)}${numberOf(counts, [state])}</option>
            `,
            )}
          </select>
        </label>
        <label>Procedure
          <select value=${filter.procedure} onChange=${set("procedure")}>
            <option value="">all</option>
            ${all.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
          </select>
        </label>
      </form>
      ${error && html`<p class="note bad" role="alert">${error.message}</p>`}
      ${!groups && !error && html`<p class="note" role="status">Looking for jobs…</p>`}
      ${
        groups &&
        !error &&
        html`<${Groups} groups=${groups} counts=${counts} isFiltered=${Boolean(filter.state || filter.procedure)} />`
      }
      ${
        groups?.some(({ next }) => next) &&
        html`
        <p class="more">
          <button type="button" onClick=${() => setLimit(Math.min(MOST, limit + PAGE))} disabled=${limit >= MOST}>
            More jobs
          </button>
        </p>
      `
      }
    </div>
  `;
}

/** How many jobs are in these states, as far as it was counted. */
function numberOf(counts, states) {
  if (!counts) return "";
  const numbers = states.map((state) => counts.counts[state] ?? 0);
  const isMore = numbers.some((number) => number >= counts.most);
  return ` (${count(numbers.reduce((a, b) => a + b, 0))}${isMore ? "+" : ""})`;
}

function Groups({ groups, counts, isFiltered }) {
  const full = groups.filter(({ jobs }) => jobs.length);
  if (!full.length) {
    return html`
      <p class="note" role="status">
        ${isFiltered ? "No job is like this." : html`No jobs yet. “Run as a job” beside a procedure's form makes one.`}
      </p>
    `;
  }
  return html`
    <div class="jobs">
      ${full.map(
        ({ title, states, jobs }) => html`
          <section key=${title} aria-label=${title}>
            <h2>${title}<span class="faint">${numberOf(counts, states)}</span></h2>
            <ul aria-label=${`${title} jobs`}>
              ${inTurn(jobs).map((job) => html`<${Row} key=${job.id} job=${job} />`)}
            </ul>
          </section>
        `,
      )}
    </div>
  `;
}

/** Those that wait by their place in the queue, others as they come. */
const inTurn = (jobs) => [...jobs].sort((a, b) => (a.position ?? 0) - (b.position ?? 0));

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
  const isCrash = job.error && job.state !== "cancelled";
  return html`
    <li>
      <span class="job-state"><${State} state=${job.state} /></span>
      <span class="job-name">
        <a href=${to("jobs", job.id)}>${job.procedure}</a>
        <span class="faint mono">${job.id.slice(0, 8)}…${job.id.slice(-4)}</span>
      </span>
      <span class="job-bar">
        ${isCrash ? html`<span class="job-error">${job.error.type}: ${job.error.message}</span>` : html`<${Bar} job=${job} />`}
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
