/**
 * What the page knows of the host, and keeps up to date: the catalog, whether the host answers, and
 * a count that goes up whenever some job changed.
 *
 * News come over `/-/events`. A host without them is asked every two seconds. While nobody looks at
 * the page it keeps no connection: a browser has only six of them for one host.
 */
import { useEffect, useState } from "../vendor/htm-3.1.1/standalone.module.js";
import { catalog } from "./api.js";

const POLL = 2000;
/** How long after a refusal `/-/events` is tried again. */
const RETRY = 30_000;

let state = { catalog: null, link: "starting", jobs: 0 };
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
    const changed = await catalog(state.catalog?.tag);
    if (changed) set({ catalog: changed });
    if (state.link === "starting" || state.link === "lost")
      set({ link: source ? "events" : "polling" });
  } catch {
    set({ link: "lost" });
  }
}

let source = null;
let poller = null;
let refused = 0;

function open() {
  const events = new EventSource("/-/events");
  source = events;
  events.addEventListener("open", () => {
    set({ link: "events" });
    stopPolling();
    // What happened while there was no connection.
    news();
  });
  events.addEventListener("catalog", refresh);
  events.addEventListener("jobs", () => set({ jobs: state.jobs + 1 }));
  events.addEventListener("error", () => {
    if (events !== source) return;
    if (events.readyState !== EventSource.CLOSED) return set({ link: "lost" });
    source = null;
    refused = Date.now();
    startPolling();
  });
}

function news() {
  refresh();
  set({ jobs: state.jobs + 1 });
}

function startPolling() {
  if (state.link === "events") set({ link: "polling" });
  poller ??= setInterval(() => {
    news();
    if (!source && Date.now() - refused > RETRY) open();
  }, POLL);
  news();
}

function stopPolling() {
  clearInterval(poller);
  poller = null;
}

function pause() {
  source?.close();
  source = null;
  stopPolling();
}

/** Begins to follow the host. */
export function start() {
  open();
  refresh();
  document.addEventListener("visibilitychange", () => {
    pause();
    if (!document.hidden) open();
  });
}
