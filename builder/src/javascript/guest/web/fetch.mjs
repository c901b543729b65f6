// `fetch`, as the Fetch standard has it, as far as there is any: requests to the servers that the component
// was granted. It is a part of those components alone that use it.

import http from "tarp:procedure/http@0.1.0";

import { decodeUtf8, encodeUtf8 } from "../utf8.mjs";

const MAX_REDIRECTS = 20;

export class Headers {
  #entries = [];

  constructor(from) {
    if (from === undefined || from === null) return;
    const entries = typeof from[Symbol.iterator] === "function" ? from : Object.entries(from);
    for (const [name, value] of entries) this.append(name, value);
  }

  append(name, value) {
    this.#entries.push([String(name).toLowerCase(), String(value).trim()]);
  }

  delete(name) {
    const gone = String(name).toLowerCase();
    this.#entries = this.#entries.filter(([own]) => own !== gone);
  }

  set(name, value) {
    this.delete(name);
    this.append(name, value);
  }

  has(name) {
    return this.get(name) !== null;
  }

  get(name) {
    const wanted = String(name).toLowerCase();
    const values = this.#entries.filter(([own]) => own === wanted).map(([, value]) => value);
    return values.length > 0 ? values.join(", ") : null;
  }

  getSetCookie() {
    return this.#entries.filter(([name]) => name === "set-cookie").map(([, value]) => value);
  }

  forEach(callback, self) {
    for (const [name, value] of this) callback.call(self, value, name, this);
  }

  *entries() {
    const names = [...new Set(this.#entries.map(([name]) => name))].sort();
    for (const name of names) {
      if (name === "set-cookie") for (const value of this.getSetCookie()) yield [name, value];
      else yield [name, this.get(name)];
    }
  }

  *keys() {
    for (const [name] of this.entries()) yield name;
  }

  *values() {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator]() {
    return this.entries();
  }
}

export class Response {
  #body;

  constructor(body, { status = 200, statusText = "", headers, url = "", redirected = false } = {}) {
    this.#body = bytesOf(body) ?? new Uint8Array();
    this.bodyUsed = false;
    this.headers = headers instanceof Headers ? headers : new Headers(headers);
    this.ok = status >= 200 && status < 300;
    this.redirected = redirected;
    this.status = status;
    this.statusText = statusText;
    this.url = url;
  }

  async bytes() {
    if (this.bodyUsed) throw new TypeError("the body has been read already");
    this.bodyUsed = true;
    return this.#body;
  }

  async arrayBuffer() {
    return (await this.bytes()).buffer;
  }

  async text() {
    return decodeUtf8(await this.bytes());
  }

  async json() {
    return JSON.parse(await this.text());
  }
}

/**
 * Sends a request; what it gives comes when all of the response is there.
 *
 * @throws {TypeError} where there is no response
 */
export async function fetch(resource, { method = "GET", headers, body, redirect = "follow" } = {}) {
  const sent = new Headers(headers);
  let content = bytesOf(body);
  if (typeof body === "string" && !sent.has("content-type")) sent.set("content-type", "text/plain;charset=UTF-8");
  let verb = String(method);
  if (/^(delete|get|head|options|post|put)$/i.test(verb)) verb = verb.toUpperCase();
  if (content && /^(GET|HEAD)$/.test(verb)) throw new TypeError(`a request with ${verb} has no body`);
  let url = parsed(String(resource));
  for (let redirects = 0; ; redirects++) {
    const response = send(url, verb, sent, content, redirects > 0);
    const location = [301, 302, 303, 307, 308].includes(response.status) && response.headers.get("location");
    if (!location || redirect === "manual") return response;
    if (redirect === "error") throw new TypeError(`${text(url)} leads elsewhere`);
    if (redirects === MAX_REDIRECTS) throw new TypeError(`${text(url)} leads on more than ${MAX_REDIRECTS} times`);
    const next = resolved(location, url);
    const turnsToGet = response.status === 303 ? !/^(GET|HEAD)$/.test(verb) : response.status < 303 && verb === "POST";
    if (turnsToGet) {
      [verb, content] = ["GET", undefined];
      for (const name of ["content-encoding", "content-language", "content-location", "content-type"]) sent.delete(name);
    }
    if (next.scheme !== url.scheme || next.authority !== url.authority) sent.delete("authorization");
    url = next;
  }
}

function bytesOf(body) {
  if (body === undefined || body === null) return undefined;
  if (typeof body === "string") return encodeUtf8(body);
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  throw new TypeError("a body is a string or bytes");
}

const text = ({ scheme, authority, path }) => `${scheme}://${authority}${path}`;

function parsed(address) {
  const parts = /^(https?):\/\/([^/?#\\\s]+)([^#\s]*)(?:#.*)?$/i.exec(address);
  if (!parts) throw new TypeError(`${address} is no address of a server; one begins with https:// or http://`);
  const [, scheme, authority, rest] = parts;
  if (authority.includes("@")) throw new TypeError("an address has no user and no password; send Authorization");
  return { scheme: scheme.toLowerCase(), authority, path: escaped(rest.startsWith("/") ? rest : `/${rest}`) };
}

const escaped = (path) => path.replace(/[^\x21-\x7e]/gu, (character) => encodeURIComponent(character));

/** An address that may be relative (RFC 3986, section 5.2). */
function resolved(location, base) {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return parsed(location);
  if (location.startsWith("//")) return parsed(`${base.scheme}:${location}`);
  const [own] = location.split("#");
  const [path] = base.path.split("?");
  if (own === "" || own.startsWith("?")) return { ...base, path: escaped(own ? path + own : base.path) };
  const [ownPath, ...query] = own.split("?");
  const full = ownPath.startsWith("/") ? ownPath : path.slice(0, path.lastIndexOf("/") + 1) + ownPath;
  const steps = [];
  const parts = full.split("/").slice(1);
  for (const [index, step] of parts.entries()) {
    if (step === "..") steps.pop();
    else if (step !== ".") steps.push(step);
    if ((step === ".." || step === ".") && index === parts.length - 1) steps.push("");
  }
  const ends = query.length > 0 ? `?${query.join("?")}` : "";
  return { ...base, path: escaped(`/${steps.join("/")}${ends}`) };
}

function send(url, method, headers, content, redirected) {
  const address = text(url);
  const sent = [...headers.entries()].map(([name, value]) => [name, encodeUtf8(value)]);
  let response;
  try {
    response = http.send({ method, url: address, headers: sent, body: content ?? new Uint8Array(), timeout: undefined });
  } catch (error) {
    throw new TypeError(error.payload);
  }
  const received = response.headers.map(([name, value]) => [name, decodeUtf8(value)]);
  return new Response(response.body, { status: response.status, headers: received, url: address, redirected });
}
