/**
 * What stays while one goes from page to page: the name, the ways, the colours, whether the host
 * answers.
 */
import { pathOf } from "../lib/base.js";
import { logOut, useLive } from "../lib/live.js";
import { to, useRoute } from "../lib/route.js";
import { toggle, useDark } from "../lib/theme.js";
import { useNoDrop } from "../form/take.js";
import { Icon, html, useEffect, useRef } from "../parts/ui.js";
import { Job } from "./job.js";
import { Jobs } from "./jobs.js";
import { LogIn } from "./log-in.js";
import { Overview } from "./overview.js";
import { Procedures } from "./procedures.js";

const WAYS = [
  ["procedures", "Procedures"],
  ["jobs", "Jobs"],
  ["overview", "Overview"],
];

export function Shell() {
  const route = useRoute();
  const live = useLive();
  const content = useRef(null);
  const [page = "procedures", ...rest] = route.path;
  const inside = rest.join("/");
  const title =
    page === "jobs" && inside
      ? `Job ${inside.slice(0, 8)}`
      : inside || (WAYS.find(([way]) => way === page)?.[1] ?? "");

  useEffect(() => {
    document.title = title ? `${title} · TARP` : "TARP";
  }, [title]);
  useMoves(content, `${page}/${inside}`);
  useSearchKey();
  useNoDrop();

  return html`
    <a class="skip" href="#content" onClick=${(event) => skip(event, content)}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/" aria-label="TARP, all procedures">
        <img src=${pathOf("/-/console/icon.svg")} alt="" width="26" height="26" /><span>TARP</span>
      </a>
      <nav aria-label="Pages">
        ${WAYS.map(
          ([way, label]) => html`
            <a key=${way} href=${to(way)} aria-current=${page === way ? "page" : undefined}>
              ${label}
              ${
                way === "procedures" &&
                live.catalog?.problems.length > 0 &&
                html`
                <span class=${`badge ${live.catalog.problems.some((one) => !one.serving) ? "" : "warn"}`} title="Problems while loading">
                  ${live.catalog.problems.length}<span class="unseen"> with problems</span>
                </span>
              `
              }
            </a>
          `,
        )}
      </nav>
      <${Link} link=${live.link} />
      ${live.session?.cookie && html`<${LogOut} name=${live.session.name} />`}
      <${Theme} />
    </header>
    <main id="content" tabindex="-1" ref=${content}>
      <${Page} page=${page} inside=${inside} route=${route} live=${live} />
    </main>
  `;
}

function Page({ page, inside, route, live }) {
  if (live.link === "locked") return html`<${LogIn} />`;
  if (page === "jobs" && inside) return html`<${Job} key=${inside} id=${inside} live=${live} />`;
  if (page === "jobs") return html`<${Jobs} live=${live} query=${route.query} />`;
  if (page === "overview") return html`<${Overview} />`;
  if (page === "procedures") return html`<${Procedures} live=${live} chosen=${inside} />`;
  return html`<div class="page"><h1>No such page</h1><p><a href="#/">All procedures</a></p></div>`;
}

/** A skip by hand: the hash is where routes are. */
function skip(event, content) {
  event.preventDefault();
  focusOn(content.current.querySelector("h1") ?? content.current);
}

/** Headings take the focus only when they are given it. */
function focusOn(heading) {
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}

/** Another page begins at its heading, for the eye and for a screen reader; not the first one. */
function useMoves(content, where) {
  const last = useRef(where);
  useEffect(() => {
    if (last.current === where) return;
    last.current = where;
    const heading =
      content.current.querySelector("[data-heading]") ?? content.current.querySelector("h1");
    if (heading) focusOn(heading);
    scrollTo(0, 0);
  }, [where]);
}

/** `/` goes to the search, from wherever nothing is being typed. */
function useSearchKey() {
  useEffect(() => {
    const press = (event) => {
      const typing = event.target.closest?.(
        "input:not([type=checkbox],[type=radio],[type=file]), textarea, select",
      );
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const search = document.getElementById("search");
      if (search && search.offsetParent) search.focus();
      else {
        location.hash = "#/procedures";
        setTimeout(() => document.getElementById("search")?.focus(), 50);
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

const SAYS = {
  starting: ["Connecting", ""],
  events: ["Live", "Changes show at once."],
  polling: ["Live", "Changes show within two seconds."],
  locked: ["Logged out", "The host asks for a token."],
  lost: ["No answer", "The host does not answer; trying again."],
};

function Link({ link }) {
  const [text, title] = SAYS[link];
  return html`
    <span class=${`link ${link}`} title=${title} role="status">
      <span class="dot" aria-hidden="true"></span><span class="link-text">${text}</span>
    </span>
  `;
}

function LogOut({ name }) {
  return html`
    <button
      type="button"
      class="quiet square"
      aria-label="Log out"
      title=${`Logged in as ${name}. Log out`}
      onClick=${logOut}
    >
      <${Icon} name="leave" />
    </button>
  `;
}

function Theme() {
  const dark = useDark();
  return html`
    <button
      type="button"
      class="quiet square"
      aria-label=${dark ? "Light colours" : "Dark colours"}
      title=${dark ? "Light colours" : "Dark colours"}
      onClick=${toggle}
    >
      <${Icon} name=${dark ? "sun" : "moon"} />
    </button>
  `;
}
