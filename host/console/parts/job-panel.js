/**
 * One job as it goes: its state and progress, its log, and what came of it.
 */
import { cancel } from "../lib/api.js";
import { ago, bytes, clock, count, hour, micros, seconds } from "../lib/format.js";
import { useJob } from "../lib/job.js";
import { isOver } from "../lib/job-states.js";
import { to } from "../lib/route.js";
import { Outcome, shownType } from "./outcome.js";
import { Bar, State } from "./progress.js";
import { Code, html, useState, useNow } from "./ui.js";

/** `procedure` is null where it is not known; `link` leads to the job's own page. */
export function JobPanel({ id, procedure = null, link = false }) {
  const { job, log, output, outcome, error } = useJob(id);
  const [stopping, setStopping] = useState(false);
  if (error && !job) return html`<p class="note bad" role="alert">${error.message}</p>`;
  if (!job) return html`<p class="note" role="status">Looking for the job…</p>`;
  const over = isOver(job.state);
  const stop = () => {
    setStopping(true);
    cancel(id).catch(() => setStopping(false));
  };
  const type = shownType(procedure?.result ?? null);
  return html`
    <div class="job-panel">
      <div class="job-head">
        <span role="status"><${State} state=${job.state} /></span>
        ${link && html`<a class="mono" href=${to("jobs", id)}>${id}</a>`}
        ${
          !over &&
          html`
          <button type="button" class="small" onClick=${stop} disabled=${stopping || job.cancel_requested}>
            ${job.cancel_requested || stopping ? "Asked to stop" : "Cancel"}
          </button>
        `
        }
      </div>
      <${Bar} job=${job} wide />
      <${Times} job=${job} over=${over} brief=${outcome !== null} />
      ${
        outcome &&
        html`
        <h2>Result</h2><${Outcome} outcome=${outcome} type=${type} name=${job.procedure} empty=${procedure && !procedure.web && type === null} />
      `
      }
      ${
        log.length > 0 &&
        html`
        <h2>Log</h2>
        <div class="log" role="log" aria-label="Log" tabindex="0">
          ${log.slice(-500).map(
            (line) => html`
            <p class=${line.level}>
              <time datetime=${line.time}>${hour(line.time)}</time>
                  <span class="level">${line.level}</span>
                  <span>${line.message}</span>
            </p>
          `,
          )}
        </div>
      `
      }
      ${
        output.stdout &&
        html`
        <h2>Standard output</h2><${Code} text=${output.stdout} label="Standard output" />
      `
      }
      ${
        output.stderr &&
        html`
        <h2>Standard error</h2><${Code} text=${output.stderr} label="Standard error" />
      `
      }
    </div>
  `;
}

/** `brief` where a receipt says the rest. */
function Times({ job, over, brief }) {
  const now = useNow(over ? 60_000 : 500);
  const taken = job.started && (job.ended ? Date.parse(job.ended) : now) - Date.parse(job.started);
  const facts = [
    ["Submitted", ago(job.submitted, now), clock(job.submitted)],
    job.position !== null && ["Place in the queue", String(job.position), "1 is next"],
    taken && [
      "Took",
      taken < 1000 ? micros(taken * 1000) : seconds(taken / 1000),
      `${job.started} to ${job.ended ?? "now"}`,
    ],
    job.attempts > 1 && ["Attempts", `${job.attempts} of ${job.max_attempts}`, ""],
    ["Priority", String(job.priority), "0 is urgent, 7 can wait"],
    !brief && job.fuel > 0 && ["Fuel", count(job.fuel), `${job.fuel} units`],
    !brief && job.peak_memory > 0 && ["Memory", bytes(job.peak_memory), "at the most"],
    job.expires && ["Kept until", clock(job.expires), "while the host runs"],
  ].filter(Boolean);
  return html`
    <dl class="facts">
      ${facts.map(([term, text, title]) => html`<div title=${title}><dt>${term}</dt><dd>${text}</dd></div>`)}
    </dl>
  `;
}
