/**
 * The list of procedures: by file, within a file by namespace, with a search over names, documentation
 * and files.
 */
import { addressOf } from "../lib/api.js";
import { pathOf } from "../lib/base.js";
import { to } from "../lib/route.js";
import { firstSentence } from "../parts/prose.js";
import { html, useEffect, useRef } from "../parts/ui.js";

/**
 * What the list shows: the procedures, and the components that answer HTTP themselves, which one can
 * only go to.
 */
export function listed({ procedures, mounts = [] }) {
  const sites = mounts.map(({ name, interface: version, file }) => ({
    name,
    file,
    documentation: `Answers requests itself (wasi:http ${version})`,
    site: true,
  }));
  return [...procedures, ...sites];
}

/** Those that have every word of the search somewhere; those with it in their name first. */
export function matching(procedures, search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return procedures;
  const inName = (procedure) => words.every((word) => procedure.name.toLowerCase().includes(word));
  const text = (p) =>
    `${p.name} ${p.name.replaceAll("_", " ")} ${(p.aliases ?? []).join(" ")} ${p.file} ${p.documentation}`.toLowerCase();
  const found = procedures.filter((procedure) =>
    words.every((word) => text(procedure).includes(word)),
  );
  return [...found.filter(inName), ...found.filter((procedure) => !inName(procedure))];
}

/** `[[file, [[namespace, [procedure]]]]]`: files and namespaces by name, procedures as they come. */
function grouped(procedures) {
  const files = new Map();
  for (const procedure of procedures) {
    const namespace = procedure.name.split("/").slice(0, -1).join("/");
    const spaces = files.get(procedure.file) ?? new Map();
    files.set(procedure.file, spaces);
    spaces.set(namespace, [...(spaces.get(namespace) ?? []), procedure]);
  }
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, spaces]) => [file, [...spaces].sort(([a], [b]) => (a < b ? -1 : 1))]);
}

export function Contents({ catalog, found, search, onSearch, chosen }) {
  const list = useRef(null);
  const links = () => [...list.current.querySelectorAll("a")];
  useEffect(() => {
    list.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  /** Arrows go up and down, also between the search and the list. */
  const move = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = links();
    const at = all.indexOf(document.activeElement) + step;
    if (at < 0) document.getElementById("search").focus();
    else all[Math.min(at, all.length - 1)]?.focus();
  };
  const key = (event) => {
    if (event.key === "Enter") links()[0]?.click();
    else if (event.key === "Escape") onSearch("");
    else move(event);
  };
  const broken = new Set(catalog.problems.map(({ file }) => file));
  return html`
    <nav class="contents" aria-label="Procedures">
      <div class="search">
        <label for="search" class="unseen">Search procedures</label>
        <input
          id="search"
          type="search"
          placeholder="Search"
          autocomplete="off"
          spellcheck=${false}
          value=${search}
          onInput=${(event) => onSearch(event.target.value)}
          onKeyDown=${key}
          aria-describedby="found"
        />
        <kbd aria-hidden="true">/</kbd>
      </div>
      <p id="found" class=${search ? "found" : "unseen"} role="status">
        ${search ? `${found.length} of ${listed(catalog).length}` : ""}
      </p>
      <div class="groups" ref=${list} onKeyDown=${move}>
        ${grouped(found).map(
          ([file, spaces]) => html`
            <section key=${file} aria-label=${file}>
              <h2>
                ${file}${
                  broken.has(file) &&
                  html`
                  <span class="badge" title="It has a problem">
                    !<span class="unseen"> has a problem</span>
                  </span>
                `
                }
              </h2>
              ${spaces.map(
                ([namespace, procedures]) => html`
                  ${namespace && html`<h3>${namespace}/</h3>`}
                  <ul class=${namespace ? "inner" : ""}>
                    ${procedures.map(
                      (procedure) => html`
                      <${Entry} key=${procedure.name} procedure=${procedure} chosen=${chosen} />
                    `,
                    )}
                  </ul>
                `,
              )}
            </section>
          `,
        )}
      </div>
    </nav>
  `;
}

function Entry({ procedure, chosen }) {
  const { name, documentation, mode, web, site } = procedure;
  const tag = site ? "site" : web ? "web" : mode === "async" ? "job" : null;
  const way = site
    ? { href: pathOf(`${addressOf(name)}/`), target: "_blank", rel: "noreferrer" }
    : { href: to("procedures", name), "aria-current": name === chosen ? "true" : undefined };
  return html`
    <li>
      <a ...${way}>
        <span class="entry-name">
          ${name.split("/").pop()}${tag && html`<span class="tag">${tag}</span>`}
        </span>
        <span class="entry-text">${firstSentence(documentation)}</span>
      </a>
    </li>
  `;
}
