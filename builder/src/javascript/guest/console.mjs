// `console`, which QuickJS does not have: to the component's standard output and standard error.

import stderr from "wasi:cli/stderr@0.2.0";
import stdout from "wasi:cli/stdout@0.2.0";

import { encodeUtf8 } from "./utf8.mjs";

/** WASI takes this much at once. */
const MOST = 4096;

/** Writes text to `stdout` or `stderr`. */
export function write(name, text) {
  const stream = name === "stdout" ? stdout.getStdout() : stderr.getStderr();
  const bytes = encodeUtf8(text);
  for (let from = 0; from < bytes.length; from += MOST) {
    stream.blockingWriteAndFlush(bytes.slice(from, from + MOST));
  }
}

/** A value for a person. */
export function inspect(value) {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.message ? `${value.name}: ${value.message}` : value.name;
  if (typeof value !== "object" || value === null) return String(value);
  try {
    return JSON.stringify(value, (_key, part) => {
      if (typeof part === "bigint") return `${part}n`;
      if (part instanceof Map) return Object.fromEntries(part);
      if (part instanceof Set || ArrayBuffer.isView(part)) return Array.from(part);
      return part;
    });
  } catch {
    return String(value);
  }
}

const to = (name) => (...values) => write(name, `${values.map(inspect).join(" ")}\n`);
const [out, err] = [to("stdout"), to("stderr")];

globalThis.console = {
  assert: (holds, ...values) => holds || err("Assertion failed:", ...values),
  debug: out,
  dir: out,
  error: err,
  info: out,
  log: out,
  trace: err,
  warn: err,
};
