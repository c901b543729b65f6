/**
 * Follows one job: its events as they come, its output while it runs, its result when it is over.
 */
import { useEffect, useState } from "../vendor/htm-3.1.1/standalone.module.js";
import { job as fetchJob, jobResult, logs, plain } from "./api.js";
import { parse } from "./exact.js";

const ENDED = new Set(["succeeded", "failed", "cancelled", "timed_out", "interrupted"]);
/** How often standard output is looked at while the job runs: there is no event for it. */
const LOOK = 1500;
/** How many lines of a log are kept here; all of them are in `/-/jobs/ID/logs`. */
const LINES = 1000;
const EMPTY = {
  job: null,
  log: [],
  output: { stdout: "", stderr: "" },
  outcome: null,
  error: null,
};

export function useJob(id) {
  const [state, setState] = useState(EMPTY);
  useEffect(() => {
    let gone = false;
    const set = (change) =>
      !gone &&
      setState((old) => ({ ...old, ...(typeof change === "function" ? change(old) : change) }));
    const stop = follow(id, set);
    return () => {
      gone = true;
      stop();
    };
  }, [id]);
  return state;
}

function follow(id, set) {
  let timer = null;
  let source = null;
  let over = false;
  const output = async () => {
    const { stdout, stderr, log } = await logs(id);
    set({ output: { stdout, stderr }, log });
  };
  const ended = async (job) => {
    if (over) return;
    over = true;
    source?.close();
    clearInterval(timer);
    set({ job });
    const outcome = await jobResult(id);
    // How long it took to fetch is no matter here.
    delete outcome.took;
    // What it wrote is shown by itself.
    for (const part of ["stdout", "stderr"]) outcome.failure?.delete(part);
    set({ outcome });
    await output().catch(() => {});
  };
  const begin = async () => {
    try {
      const job = await fetchJob(id);
      set({ job });
      await output();
      if (ENDED.has(job.state)) return ended(job);
    } catch (error) {
      return set({ error });
    }
    listen();
    timer = setInterval(() => output().catch(() => {}), LOOK);
  };
  const listen = () => {
    source = new EventSource(`/-/jobs/${encodeURIComponent(id)}/events`);
    const on = (kind, take) =>
      source.addEventListener(kind, (event) => take(plain(parse(event.data))));
    on("state", (job) => (ENDED.has(job.state) ? ended(job) : set({ job })));
    on("progress", (progress) => set((old) => ({ job: { ...old.job, progress } })));
    on("log", (line) => set((old) => ({ log: merged(old.log, line) })));
  };
  begin();
  return () => {
    over = true;
    source?.close();
    clearInterval(timer);
  };
}

/** A stream that begins anew tells of lines again. */
function merged(log, line) {
  const known = log.some(
    (old) => old.time === line.time && old.message === line.message && old.level === line.level,
  );
  return known ? log : [...log, line].slice(-LINES);
}
