/**
 * What went wrong while loading: all of it where the procedures are listed; beside a procedure what is
 * of its file, and what has just come up, since a new version that fails is easily missed. Of others a
 * line leads there.
 */
import { ago, clock } from "../lib/format.js";
import { Icon, html, useEffect, useRef, useState, useNow } from "../parts/ui.js";

/** When this page was opened. */
const OPENED = Date.now() - 2000;
/** News that were seen. */
const seen = new Set();

const keyOf = (problem) => `${problem.file} ${problem.since} ${problem.message}`;

/** `file` is that of the procedure that is shown, `null` where all are listed. */
export function Problems({ problems, file }) {
  const now = useNow();
  const [, setSeen] = useState(0);
  const isNews = (problem) => Date.parse(problem.since) > OPENED && !seen.has(keyOf(problem));
  const isOwn = (problem) => file === null || file === problem.file;
  const shown = problems.filter((problem) => isOwn(problem) || isNews(problem));
  const elsewhere = [...new Set(problems.filter((one) => !shown.includes(one)).map((one) => one.file))];
  const dismiss = (problem) => {
    seen.add(keyOf(problem));
    setSeen(seen.size);
  };
  // Who goes on to another page has seen them.
  const current = useRef(shown);
  current.current = shown;
  useEffect(() => () => current.current.forEach((problem) => seen.add(keyOf(problem))), []);
  return html`
    <p class="unseen" role="status">
      ${problems.map((problem) => `Problem with ${problem.file}: ${problem.message}`).join("\n")}
    </p>
    <section class="problems" aria-label="Problems while loading">
      ${shown.map(
        (problem) => html`
          <details
            class=${`problem ${isOwn(problem) && !problem.serving ? "bad" : "warn"}`}
            key=${keyOf(problem)}
            open
          >
            <summary>
              <${Icon} name="warning" />
              <strong>${problem.file}</strong>
              <span class="faint">
                <time datetime=${problem.since} title=${clock(problem.since)}>${ago(problem.since, now)}</time>${"; "}
                ${problem.serving ? "its procedures still serve" : "not served"}
              </span>
            </summary>
            <p class="mono">${problem.message}</p>
            ${
              !isOwn(problem) &&
              html`
              <button type="button" class="quiet small" onClick=${() => dismiss(problem)}>Dismiss</button>
            `
            }
          </details>
        `,
      )}
      ${
        elsewhere.length > 0 &&
        html`
        <p class="elsewhere"><a href="#/procedures">Problems with ${elsewhere.slice(0, 3).join(", ")}${elsewhere.length > 3 ? ` and ${elsewhere.length - 3} more` : ""}</a></p>
      `
      }
    </section>
  `;
}
