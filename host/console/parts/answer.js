/**
 * What came of a call, with what it is of: the arguments, and whether the form or the procedure has
 * changed since.
 */
import { Arguments } from "./arguments.js";
import { JobPanel } from "./job-panel.js";
import { Outcome } from "./outcome.js";
import { html, useEffect, useRef } from "./ui.js";

const SINCE = {
  form: "The form has changed since: this is of the arguments above.",
  request: "The request has changed since: this is of the one above.",
  procedure: "The procedure was replaced since: this is of the version before.",
};

/**
 * `result` is `{id, outcome, job, given}`, or null; `given` has `texts` of arguments or the `line` of a
 * request. `changed` is one of the words above, or nothing. `onRestore` puts back what it is of.
 */
export function Answer({ result, changed, type = null, procedure, onRestore }) {
  const section = useRef(null);
  const shown = useRef(result);
  useEffect(() => {
    if (shown.current === result) return undefined;
    shown.current = result;
    return result ? keepInView(section.current) : undefined;
  }, [result]);
  const { outcome, job, given } = result ?? {};
  const label = job ? "Job" : "Result";
  return html`
    <section
      ref=${section}
      class=${`answer ${changed ? "is-stale" : ""}`}
      aria-label="Result"
    >
      ${
        result &&
        html`
        <h2>${label}</h2>
        ${
          given.texts
            ? html`<${Arguments} texts=${given.texts} label=${`Arguments of this ${label.toLowerCase()}`} />`
            : html`<p class="mono given-line">${given.line}</p>`
        }
        ${
          changed &&
          html`
          <p class="note warn stale" role="status">
            ${SINCE[changed]}
            ${
              changed !== "procedure" &&
              html`<button type="button" class="small" onClick=${onRestore}>Put back</button>`
            }
          </p>
        `
        }
        ${
          outcome &&
          html`
          <${Outcome}
            key=${result.id}
            outcome=${outcome}
            type=${type}
            name=${procedure.name}
            empty=${!procedure.web && type === null}
          />
        `
        }
        ${job && html`<${JobPanel} key=${job} id=${job} procedure=${procedure} link />`}
      `
      }
    </section>
  `;
}

/** How long what comes late, such as a picture, may move what is looked at. */
const SETTLES = 1500;

/** Scrolls to an element that just came, and stays with it until it has its size or somebody acts. */
function keepInView(element) {
  const look = () => {
    const { top, bottom } = element.getBoundingClientRect();
    if (top < 56 || top > innerHeight * 0.4 || bottom > innerHeight) {
      element.scrollIntoView({ block: "start" });
    }
  };
  const observer = new ResizeObserver(look);
  const acts = ["wheel", "touchstart", "pointerdown", "keydown"];
  const stop = () => {
    observer.disconnect();
    clearTimeout(timer);
    for (const act of acts) removeEventListener(act, stop);
  };
  const timer = setTimeout(stop, SETTLES);
  for (const act of acts) addEventListener(act, stop, { passive: true });
  observer.observe(element);
  look();
  return stop;
}
