// Thrown errors: their message goes to the caller as the procedure's error, their stack to the standard
// error, in lines of the author's files.

import { inspect, write } from "./console.mjs";

/** What is thrown across the component's border: the message alone. */
export function report(error) {
  write("stderr", `${stackOf(error)}\n`);
  return messageOf(error);
}

function messageOf(error) {
  if (error instanceof Error) return String(error.message || error.name);
  return typeof error === "string" ? error : inspect(error);
}

/** An error as Node shows it, with its causes. */
export function stackOf(error) {
  if (!(error instanceof Error)) return `Uncaught ${inspect(error)}`;
  const head = error.message ? `${error.name}: ${error.message}` : error.name;
  const frames = String(error.stack ?? "").split("\n").map(frame).filter(Boolean);
  const cause = error.cause === undefined ? [] : [`  caused by ${stackOf(error.cause)}`];
  return [head, ...frames, ...cause].join("\n");
}

/** A line of QuickJS' stack, told in the author's own lines; nothing for those that are not theirs. */
function frame(line) {
  const parts = /^\s*at (?:(.+) )?\(?([^()\s]+?):(\d+)(?::\d+)?\)?$/.exec(line);
  if (!parts) return undefined;
  const { sources, lines } = globalThis[Symbol.for("tarp.lines")];
  const [source, original] = lines[parts[3] - 1] || [];
  if (!original) return undefined;
  return `    at ${parts[1] ?? "<anonymous>"} (${sources[source]}:${original})`;
}
