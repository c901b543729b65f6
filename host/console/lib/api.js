/**
 * The host's HTTP interface: calls, jobs, and what is told of them. Replies are read exactly. Knows
 * nothing of what is shown.
 */
import { pathOf } from "./base.js";
import { parse } from "./exact.js";
import { withLists } from "./types.js";

/** The address of a procedure: names hold slashes, and whatever else is in them is escaped. */
export const addressOf = (name) => `/${name.split("/").map(encodeURIComponent).join("/")}`;

/** A reply that says what failed. `failure` is its body, a Map. */
export class HostError extends Error {
  constructor(status, failure, headers) {
    super(failure.get("message"));
    this.status = status;
    this.failure = failure;
    this.headers = headers;
  }
}

/** A failure that the page itself has to tell of. */
function own(status, message) {
  return new Map([
    ["status", "error"],
    ["type", status ? `HTTP ${status}` : "NoReply"],
    ["message", message],
  ]);
}

/** A request to the host; throws a HostError for whatever is no success. */
async function request(address, options = {}) {
  let reply;
  try {
    reply = await fetch(pathOf(address), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new HostError(0, own(0, "The host does not answer. Is it still running?"));
  }
  if (reply.ok || reply.status === 304) return reply;
  const failure = await body(reply).catch(() => null);
  const isFailure = failure instanceof Map && failure.has("message");
  throw new HostError(
    reply.status,
    isFailure
      ? failure
      : own(reply.status, reply.statusText || "The host answered without a word."),
    reply.headers,
  );
}

const body = async (reply) => parse(await reply.text());

/** Plain data from exact data: for what the host says of itself, whose numbers are small. */
export function plain(value) {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if (Array.isArray(value)) return value.map(plain);
  return typeof value === "object" && value !== null ? Number(value) : value;
}

/** Something of the host's own, below `/-/`. */
export async function ask(address, options) {
  return plain(await body(await request(address, options)));
}

/** Who this browser is logged in as: `{name, rights, expires, cookie}`. */
export const session = () => ask("/-/session");
/** Has the browser keep a token, in a cookie that no script can read. */
export const logIn = (token) =>
  ask("/-/session", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
export const logOut = () => ask("/-/session", { method: "DELETE" });

/** The catalog, or null where it is the one with this tag. Defaults stay exact. */
export async function catalog(tag) {
  const reply = await request("/-/procedures", {
    cache: "no-store",
    headers: tag ? { "If-None-Match": tag } : {},
  });
  if (reply.status === 304) return null;
  const exact = await body(reply);
  const read = plain(exact);
  exact.get("procedures").forEach((procedure, i) => {
    read.procedures[i].result = withLists(read.procedures[i].result ?? null);
    procedure.get("parameters").forEach((parameter, j) => {
      const known = read.procedures[i].parameters[j];
      known.type = withLists(known.type);
      if (parameter.has("default")) known.default = parameter.get("default");
    });
  });
  return { ...read, tag: reply.headers.get("ETag") };
}

/**
 * What a call gave, as an outcome: `{value}` or `{bytes, mediaType}` or `{text}`, or `{failure}`; with
 * the receipt, what the procedure printed as far as the host tells, the status, and the milliseconds until
 * all of it was here.
 */
export async function outcomeOf(address, options) {
  const start = performance.now();
  const finish = (reply, rest) => ({
    ...rest,
    receipt: receiptOf(reply),
    took: performance.now() - start,
  });
  try {
    const reply = await request(address, options);
    const mediaType = reply.headers.get("Content-Type") ?? "application/octet-stream";
    if (mediaType !== "application/json") {
      return finish(reply, {
        status: reply.status,
        bytes: new Uint8Array(await reply.arrayBuffer()),
        mediaType,
      });
    }
    const text = await reply.text();
    const value = parse(text);
    const enveloped =
      value instanceof Map && value.get("status") === "success" && value.has("result");
    if (!enveloped) return finish(reply, { status: reply.status, value });
    return finish(reply, {
      status: reply.status,
      value: value.get("result"),
      mimetype: value.get("mimetype"),
      printed: value,
    });
  } catch (error) {
    if (error instanceof HostError)
      return finish(error, { status: error.status, failure: error.failure });
    if (error.name === "AbortError") return finish({}, { stopped: true });
    return finish({}, { status: 0, failure: own(0, `The reply cannot be read: ${error.message}`) });
  }
}

/** What a reply says the call used; null where it says nothing. */
function receiptOf({ headers }) {
  const number = (name) => (headers?.has(name) ? Number(headers.get(name)) : null);
  const receipt = {
    fuel: number("x-tarp-fuel"),
    memory: number("x-tarp-peak-memory"),
    instantiate: number("x-tarp-instantiate-us"),
    run: number("x-tarp-run-us"),
  };
  return receipt.fuel === null ? null : receipt;
}

const JSON_BODY = { "Content-Type": "application/json" };

/** Calls a procedure with the text of a JSON object. */
export const call = (name, text, signal) =>
  outcomeOf(addressOf(name), {
    method: "POST",
    headers: { ...JSON_BODY, Prefer: "output" },
    body: text,
    signal,
  });

/** Queues the same call; gives the job. */
export const submit = (name, text) =>
  ask(addressOf(name), {
    method: "POST",
    headers: { ...JSON_BODY, Prefer: "respond-async" },
    body: text,
  });

/** Queues any request to a procedure; gives the job. */
export const submitRequest = (address, { headers, ...options }) =>
  ask(address, { ...options, headers: { ...headers, Prefer: "respond-async" } });

export const job = (id) => ask(`/-/jobs/${encodeURIComponent(id)}`);
export const logs = (id) => ask(`/-/jobs/${encodeURIComponent(id)}/logs`);
export const cancel = (id) => ask(`/-/jobs/${encodeURIComponent(id)}?keep=true`, { method: "DELETE" });
export const jobCounts = (query) => ask(`/-/jobs/counts?${new URLSearchParams(query)}`);
/** What a job was called with, exact: a Map with `arguments`, or with `positional` and `named`. */
export const jobArguments = async (id) =>
  body(await request(`/-/jobs/${encodeURIComponent(id)}/arguments`));
export const jobResult = (id) => outcomeOf(`/-/jobs/${encodeURIComponent(id)}/result`);

const componentPath = (name) => `/-/components/${encodeURIComponent(name)}`;
/** A component with its versions, by the name of its file without its ending. */
export const component = (name) => ask(componentPath(name));
/** Has the host serve another version of a component, if it still serves the one that was seen. */
export const rollBack = (name, seen, version) =>
  ask(`${componentPath(name)}/rollback?${new URLSearchParams({ to: version })}`, {
    method: "POST",
    headers: { "If-Match": `"${seen}"` },
  });

/** Jobs, newest first: `{jobs, next}`. */
export const jobs = (query) => ask(`/-/jobs?${new URLSearchParams(query)}`);
