/**
 * Follows one job: how it is and what it wrote, whenever the host tells that some job has changed, and
 * its result when it is over. It keeps no connection of its own.
 */
import { useEffect, useRef, useState } from "../vendor/htm-3.1.1/standalone.module.js";
import { job as fetchJob, jobResult, logs } from "./api.js";
import { isOver } from "./job-states.js";
import { useLive } from "./live.js";

/** When a job is looked at first, in milliseconds: short ones end before the host tells again. */
const LOOKS = [150, 400, 900];
/** How many lines of a log are kept here; all of them are in `/-/jobs/ID/logs`. */
const LINES = 1000;
const EMPTY = {
  job: null,
  log: [],
  output: { stdout: "", stderr: "" },
  outcome: null,
  error: null,
};

/** `{job, log, output, outcome, error}` as they are known so far. */
export function useJob(id) {
  const [state, setState] = useState(EMPTY);
  const { jobs: changes } = useLive();
  const follower = useRef(null);
  useEffect(() => {
    setState(EMPTY);
    const own = follow(id, (change) => setState((old) => ({ ...old, ...change })));
    follower.current = own;
    return own.stop;
  }, [id]);
  useEffect(() => {
    follower.current.look();
  }, [id, changes]);
  return state;
}

/** One look at a time; what changed meanwhile is looked at afterwards. */
function follow(id, set) {
  let isBusy = false;
  let isMissed = false;
  let isDone = false;
  const take = async () => {
    const job = await fetchJob(id);
    const { stdout, stderr, log } = await logs(id);
    const told = { job, output: { stdout, stderr }, log: log.slice(-LINES), error: null };
    if (!isOver(job.state)) return told;
    const outcome = await jobResult(id);
    // How long it took to fetch is no matter here.
    delete outcome.took;
    // What it wrote is shown by itself.
    for (const part of ["stdout", "stderr"]) outcome.failure?.delete(part);
    // It may have written between the two looks.
    const last = await logs(id);
    return {
      ...told,
      output: { stdout: last.stdout, stderr: last.stderr },
      log: last.log.slice(-LINES),
      outcome,
    };
  };
  const look = async () => {
    if (isDone) return;
    if (isBusy) {
      isMissed = true;
      return;
    }
    isBusy = true;
    isMissed = false;
    const told = await take().catch((error) => ({ error }));
    isBusy = false;
    if (isDone) return;
    set(told);
    // A host that is away may come back; a job that it does not know will not.
    isDone = Boolean(told.outcome) || told.error?.status === 404 || told.error?.status === 410;
    if (isMissed) look();
  };
  const timers = LOOKS.map((after) => setTimeout(look, after));
  return {
    look,
    stop() {
      isDone = true;
      timers.forEach(clearTimeout);
    },
  };
}
