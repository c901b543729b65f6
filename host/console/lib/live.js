/**
 * What the page knows of the host, and keeps up to date: the catalog, whether the host answers, who is
 * logged in, and a count that goes up whenever some job changed.
 *
 * News come over `/-/events`, one stream for all tabs. A host without them is asked every two seconds.
 * A page that nobody looks at follows nothing.
 */
import { useEffect, useState } from "../vendor/htm-3.1.1/standalone.module.js";
import * as api from "./api.js";
import { follow } from "./stream.js";

const POLL = 2000;
/** How long after a refusal `/-/events` is tried again. */
const RETRY = 30_000;
/** How long after an announced end a page that is still there follows the host again. */
const BACK = 1000;

let state = { catalog: null, link: "starting", session: null, jobs: 0 };
const watchers = new Set();

function set(change) {
  state = { ...state, ...change };
  for (const watcher of watchers) watcher(state);
}

/** The state, in a component that is to follow it. */
export function useLive() {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    watchers.add(setSeen);
    setSeen(state);
    return () => watchers.delete(setSeen);
  }, []);
  return seen;
}

let asking = null;
let again = false;

/** Fetches the catalog if it changed; one request at a time, and one more where news came meanwhile. */
export function refresh() {
  if (asking) {
    again = true;
    return asking;
  }
  asking = look().finally(() => {
    asking = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return asking;
}

async function look() {
  try {
    const changed = await api.catalog(state.catalog?.tag);
    if (changed) set({ catalog: changed });
    if (WAITING.includes(state.link)) set({ link: refused ? "polling" : "events" });
    if (!state.session) set({ session: await api.session().catch(() => NOBODY) });
  } catch (error) {
    if (error.status === 401) lock();
    else set({ link: "lost" });
  }
}

/** The links of a page that does not know yet whether the host answers. */
const WAITING = ["starting", "lost", "locked"];
/** A host of an older version does not tell. */
const NOBODY = { name: null, cookie: false };

/** What is known was for somebody who was logged in. */
function lock() {
  leave();
  set({ catalog: null, session: null, link: "locked" });
}

/** Logs in with a token, and tells whether the host serves this page then. */
export async function logIn(token) {
  await api.logIn(token);
  await refresh();
  if (state.link === "locked") return false;
  stream.join();
  return true;
}

/** Logs out, and forgets what was typed and shown. */
export async function logOut() {
  await api.logOut();
  sessionStorage.clear();
  location.reload();
}

let poller = null;
let refused = 0;
let stream = null;

const TAKE = {
  open() {
    refused = 0;
    set({ link: "events" });
    stopPolling();
    // What happened while there was no connection.
    news();
  },
  catalog: refresh,
  jobs: () => set({ jobs: state.jobs + 1 }),
  lost: () => set({ link: "lost" }),
  refused() {
    refused = Date.now();
    startPolling();
  },
};

function news() {
  refresh();
  set({ jobs: state.jobs + 1 });
}

function startPolling() {
  if (state.link === "events") set({ link: "polling" });
  poller ??= setInterval(() => {
    news();
    if (Date.now() - refused > RETRY) {
      refused = Date.now();
      stream.join();
    }
  }, POLL);
  news();
}

function stopPolling() {
  clearInterval(poller);
  poller = null;
}

function leave() {
  stopPolling();
  stream.leave();
}

/** Follows the host, or sees whether another tab has logged in. */
function join() {
  if (state.link === "locked") refresh();
  else stream.join();
}

/** Begins to follow the host, whenever somebody looks at the page. */
export function start() {
  stream = follow((word) => TAKE[word]?.());
  if (!document.hidden) stream.join();
  refresh();
  document.addEventListener("visibilitychange", () => (document.hidden ? leave() : join()));
  addEventListener("pagehide", leave);
  // A browser may keep a page that was left, and its worker, just as they are: what is said in
  // `pagehide` is then not heard any more. A download is no leaving, so the page comes back.
  addEventListener("beforeunload", () => {
    leave();
    setTimeout(() => document.hidden || join(), BACK);
  });
  addEventListener("pageshow", (event) => event.persisted && join());
}
