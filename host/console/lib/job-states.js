/**
 * The states of a job. The crate `tarp-schema` has the same; its tests compare them.
 */
export const ENDED = ["succeeded", "failed", "cancelled", "timed_out", "interrupted"];
export const STATES = ["running", "queued", ...ENDED];
export const isOver = (state) => ENDED.includes(state);
