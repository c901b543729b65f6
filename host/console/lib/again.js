/**
 * A job's arguments once more: submitted as they were, or put into the form of their procedure.
 */
import { addressOf, submit, submitRequest } from "./api.js";
import { unbase64 } from "./bytes.js";
import { freshId } from "./draft.js";
import { prefill, prefillDraft } from "./drafts.js";
import { write } from "./exact.js";

/** Queues the same call; gives the new job. `values` is a Map from names to exact values. */
export function runAgain(procedure, values) {
  if (!procedure.web) return submit(procedure.name, write(values));
  const { method, query, type, body } = requestOf(values);
  const asked = new URLSearchParams(query).toString();
  return submitRequest(addressOf(procedure.name) + (asked && `?${asked}`), {
    method,
    headers: type && body !== undefined ? { "Content-Type": type } : {},
    body,
  });
}

/** Puts the arguments into the procedure's form. */
export function edit(procedure, values) {
  if (!procedure.web) return prefill(procedure, values);
  const { method, query, type, kind, content } = requestOf(values);
  const pairs = (list) => list.map(([name, value]) => ({ id: freshId(), name, value }));
  const KINDS = {
    json: { type: "application/json", text: content },
    text: { type: "text/plain", text: content },
    form: { type: "application/x-www-form-urlencoded", fields: kind === "form" ? pairs(content) : [] },
    bytes: {
      type: "application/octet-stream",
      file: kind === "bytes" && { name: "body", type, bytes: unbase64(content) },
    },
  };
  return prefillDraft(procedure.name, { method, query: pairs(query), ...KINDS[kind] });
}

/** The request that is the only argument of a web procedure. */
function requestOf(values) {
  const [request] = values.values();
  const headers = new Map(request.get("headers").map(([name, value]) => [name, value]));
  const content = request.get("body");
  const kind = content instanceof Map ? [...content.keys()][0] : "none";
  const inner = kind === "none" ? undefined : content.get(kind);
  const BODIES = {
    none: () => undefined,
    json: () => inner,
    text: () => inner,
    form: () => new URLSearchParams(inner).toString(),
    bytes: () => unbase64(inner),
  };
  return {
    method: request.get("method"),
    query: request.get("query"),
    type: headers.get("content-type"),
    kind,
    content: inner,
    body: BODIES[kind](),
  };
}
