/**
 * All procedures, to be searched, and the chosen one beside them; on a narrow screen one or the other.
 */
import { ago, clock, plural } from "../lib/format.js";
import { Icon, html, useMemo, useState, useNow } from "../parts/ui.js";
import { Contents, listed, matching } from "./contents.js";
import { Procedure } from "./procedure.js";
import { WebProcedure } from "./web.js";

export function Procedures({ live, chosen }) {
  const [search, setSearch] = useState("");
  const { catalog } = live;
  const found = useMemo(
    () => (catalog ? matching(listed(catalog), search) : []),
    [catalog, search],
  );
  if (!catalog) {
    return html`
      <div class="page">
        <h1>Procedures</h1>
        <p class="note" role="status">${live.link === "lost" ? "The host does not answer; trying again." : "Looking what there is…"}</p>
      </div>
    `;
  }
  const procedure = catalog.procedures.find(({ name }) => name === chosen);
  return html`
    <div class=${`split ${chosen ? "is-chosen" : ""}`}>
      <${Contents}
        catalog=${catalog}
        found=${found}
        search=${search}
        onSearch=${setSearch}
        chosen=${chosen}
      />
      <div class="detail">
        <${Problems} problems=${catalog.problems} file=${chosen ? (procedure?.file ?? "") : null} />
        ${
          chosen
            ? procedure
              ? html`
                <${procedure.web ? WebProcedure : Procedure}
                  key=${`${procedure.name} ${procedure.signature}`}
                  procedure=${procedure}
                />
              `
              : html`<${Missing} name=${chosen} complete=${catalog.complete} />`
            : html`<${Welcome} catalog=${catalog} />`
        }
      </div>
    </div>
  `;
}

function Missing({ name, complete }) {
  return html`
    <a class="back" href="#/procedures"><${Icon} name="back" />All procedures</a>
    <h1 data-heading>${name}</h1>
    <p class="note" role="status">
      ${complete ? "There is no procedure of this name now. It shows here as soon as there is." : "The host is still loading."}
    </p>
  `;
}

/** When this page was opened. */
const OPENED = Date.now() - 2000;

/** What went wrong while loading; told at once, since a new version that fails is easily missed. */
function Problems({ problems, file }) {
  const now = useNow();
  // Of other files only the heading, unless it is news.
  const isOpen = (problem) =>
    file === null || file === problem.file || Date.parse(problem.since) > OPENED;
  return html`
    <p class="unseen" role="status">
      ${problems.map((problem) => `Problem with ${problem.file}: ${problem.message}`).join("\n")}
    </p>
    <section class="problems" aria-label="Problems while loading">
      ${problems.map(
        (problem) => html`
          <details class="problem" key=${problem.file + problem.message} open=${isOpen(problem)}>
            <summary>
              <${Icon} name="warning" />
              <strong>${problem.file}</strong>
              <span class="faint">
                <time datetime=${problem.since} title=${clock(problem.since)}>${ago(problem.since, now)}</time>${"; "}
                ${problem.serving ? "its procedures still serve" : "not served"}
              </span>
            </summary>
            <p class="mono">${problem.message}</p>
          </details>
        `,
      )}
    </section>
  `;
}

function Welcome({ catalog }) {
  const files = new Set(listed(catalog).map(({ file }) => file)).size;
  const first = catalog.procedures[0];
  return html`
    <div class="welcome">
      <h1 data-heading>${plural(catalog.procedures.length, "procedure")} from ${plural(files, "file")}</h1>
      <p class="lead">${
        first
          ? "Choose one to read what it does, to call it from here, and to copy the call for your own program."
          : catalog.complete
            ? "Drop a WebAssembly component into the folder, and its functions show here."
            : "The host is still loading; what is ready shows here."
      }</p>
      <dl class="keys">
        <div><dt><kbd>/</kbd></dt><dd>search</dd></div>
        <div><dt><kbd>↓</kbd> <kbd>↑</kbd></dt><dd>through what was found</dd></div>
        <div><dt><kbd>Ctrl</kbd> <kbd>Enter</kbd></dt><dd>call</dd></div>
      </dl>
      <p class="faint">For programs: <a href="/-/procedures">the catalog with types</a>.</p>
    </div>
  `;
}
