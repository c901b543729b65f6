/**
 * The state of a job in a word, and its progress as a bar.
 */
import { count } from "../lib/format.js";
import { isOver } from "../lib/job-states.js";
import { html } from "./ui.js";

export const nameOf = (state) => state.replace("_", " ");

export const State = ({ state }) => html`<span class=${`state ${state}`}>${nameOf(state)}</span>`;

export function Bar({ job, wide = false }) {
  const { done = null, total = null, message = null } = job.progress ?? {};
  if (job.progress === null && job.state !== "running") return null;
  const share = total > 0 && done !== null ? Math.min(1, Math.max(0, done / total)) : null;
  const known = share !== null || isOver(job.state);
  const text = [
    share !== null ? `${Math.floor(share * 100)} %` : done !== null ? count(done) : null,
    wide && share !== null ? `${count(done)} of ${count(total)}` : null,
    message,
  ].filter(Boolean);
  return html`
    <div class=${`bar ${wide ? "wide" : ""} ${job.state}`}>
      ${
        known
          ? share !== null &&
            html`<progress max="1" value=${share} aria-label=${`Progress of ${job.procedure}`}></progress>`
          : html`<progress aria-label=${`Progress of ${job.procedure}`}></progress>`
      }
      <span class="bar-text">${text.join(" · ")}</span>
    </div>
  `;
}
