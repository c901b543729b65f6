/**
 * The host's events for this page: through the worker that all tabs share or, where a browser has no
 * such workers, over a stream of its own. `take` is told `open`, `catalog`, `jobs`, `lost`, `refused`.
 */

import { pathOf } from "./base.js";

/** How often a tab says that it is still looked at, in milliseconds. */
const BEAT = 5000;

export function follow(take) {
  return sharedStream(take) ?? ownStream(take);
}

function sharedStream(take) {
  let worker;
  try {
    worker = new SharedWorker(new URL("worker.js", import.meta.url), { name: "tarp-events" });
  } catch {
    // There are none, or not for this page.
    return null;
  }
  let instead = null;
  let isWanted = false;
  worker.port.onmessage = ({ data }) => isWanted && !instead && take(data);
  worker.onerror = () => {
    instead ??= ownStream(take);
    if (isWanted) instead.join();
  };
  let beat = null;
  const say = (word) => {
    isWanted = word === "join";
    clearInterval(beat);
    if (instead) return instead[word]();
    worker.port.postMessage(word);
    if (isWanted) beat = setInterval(() => worker.port.postMessage("join"), BEAT);
  };
  return { join: () => say("join"), leave: () => say("leave") };
}

function ownStream(take) {
  let source = null;
  const join = () => {
    if (source) return;
    const events = new EventSource(pathOf("/-/events"));
    source = events;
    for (const word of ["open", "catalog", "jobs"]) events.addEventListener(word, () => take(word));
    events.addEventListener("error", () => {
      if (events !== source) return;
      if (events.readyState !== EventSource.CLOSED) return take("lost");
      source = null;
      take("refused");
    });
  };
  const leave = () => {
    source?.close();
    source = null;
  };
  return { join, leave };
}
