/**
 * All procedures, to be searched, and the chosen one beside them; on a narrow screen one or the other.
 */
import { hostAddress, pathOf } from "../lib/base.js";
import { plural } from "../lib/format.js";
import { Icon, html, useEffect, useMemo, useState } from "../parts/ui.js";
import { Contents, listed, matching } from "./contents.js";
import { Problems } from "./problems.js";
import { Procedure } from "./procedure.js";
import { WebProcedure } from "./web.js";

/** What was searched for, for who comes back to the list. */
let searched = "";

export function Procedures({ live, chosen }) {
  const [search, setSearch] = useState(searched);
  useEffect(() => {
    searched = search;
  }, [search]);
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
  const procedure =
    catalog.procedures.find(({ name }) => name === chosen) ??
    catalog.procedures.find(({ aliases = [] }) => aliases.includes(chosen));
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
        <${Problems} key=${chosen} problems=${catalog.problems} file=${chosen ? (procedure?.file ?? "") : null} />
        ${
          chosen
            ? procedure
              ? html`
                <${procedure.web ? WebProcedure : Procedure}
                  key=${procedure.name}
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
      <p class="faint">For programs: <a href=${pathOf("/-/procedures")}>the catalog with types</a>, and <a href=${pathOf("/-/docs")}>OpenAPI</a>.</p>
      ${
        catalog.client &&
        html`<p class="faint">For Python: <code>pip install ${hostAddress}/-/client/${catalog.client.wheel.split("/").pop()}</code></p>`
      }
    </div>
  `;
}
