/**
 * A request to a web procedure as text to copy: curl, JavaScript, Python, `tarp call`. Unlike
 * `snippets.js` these know methods and content types, and nothing of types. A reply goes into a file,
 * unless the last one was text.
 *
 * A request is `{name, methods, method, address, query, type, body, file, mediaType}`: `body` is a text,
 * or the bytes of `file`; GET has none. `mediaType` is that of the last reply, if there was one.
 */
import { extensionFor, isText } from "./media.js";
import { shell, word } from "./snippets.js";

const isFile = ({ body }) => body instanceof Uint8Array;
const typeOf = (request) => (isFile(request) ? request.file.type : request.type);
const printed = ({ mediaType }) => Boolean(mediaType) && isText(mediaType);
const outputOf = ({ name, mediaType }) =>
  `${name.replace(/[^\w.-]+/g, "_")}.${mediaType ? extensionFor(mediaType) : "out"}`;

export function curl(request) {
  const output = printed(request) ? [] : [`-o ${word(outputOf(request))}`];
  const last = shell(request.address);
  if (request.method !== "POST") return ["curl", ...output, last].join(" ");
  const body = isFile(request) ? `@${request.file.name}` : request.body || "";
  return [
    "curl",
    ...output,
    `-H ${shell(`Content-Type: ${typeOf(request)}`)}`,
    // Text that begins with `@` would be taken for a file's name.
    `${isFile(request) ? "--data-binary" : "--data-raw"} ${shell(body)}`,
    last,
  ].join(" \\\n  ");
}

export function javascript(request) {
  const address = JSON.stringify(request.address);
  const used = [...(isFile(request) ? ["readFile"] : []), ...(printed(request) ? [] : ["writeFile"])];
  const sent = isFile(request)
    ? `await readFile(${JSON.stringify(request.file.name)})`
    : JSON.stringify(request.body || "");
  const options = [
    '  method: "POST",',
    `  headers: { "Content-Type": ${JSON.stringify(typeOf(request))} },`,
    `  body: ${sent},`,
  ];
  return [
    ...(used.length ? [`import { ${used.join(", ")} } from "node:fs/promises";`, ""] : []),
    ...(request.method === "POST"
      ? [`const reply = await fetch(${address}, {`, ...options, "});"]
      : [`const reply = await fetch(${address});`]),
    printed(request)
      ? "console.log(reply.status, await reply.text());"
      : `await writeFile(${JSON.stringify(outputOf(request))}, new Uint8Array(await reply.arrayBuffer()));`,
  ].join("\n");
}

/** With what every Python has: the original client and ours call procedures with arguments. */
export function python(request) {
  const lines = ["from pathlib import Path", "from urllib.request import Request, urlopen", ""];
  if (request.method !== "POST") {
    lines.push(`with urlopen(${JSON.stringify(request.address)}) as reply:`);
  } else {
    const body = isFile(request)
      ? `Path(${JSON.stringify(request.file.name)}).read_bytes()`
      : `${JSON.stringify(request.body || "")}.encode()`;
    lines.push(
      "request = Request(",
      `    ${JSON.stringify(request.address)},`,
      `    data=${body},`,
      `    headers={"Content-Type": ${JSON.stringify(typeOf(request))}},`,
      ")",
      "with urlopen(request) as reply:",
    );
  }
  lines.push(
    printed(request)
      ? "    print(reply.status, reply.read().decode())"
      : `    Path(${JSON.stringify(outputOf(request))}).write_bytes(reply.read())`,
  );
  const code = lines.join("\n");
  return code.includes("Path(") ? code : code.replace("from pathlib import Path\n", "");
}

/** Null where the command line cannot send it: it takes a content type from what the body is. */
export function tarp(request) {
  const { name, methods, method, query, body } = request;
  const data = method === "POST" ? dataOf(request) : [];
  const isMeant = method === "POST" ? Boolean(body) || !methods.includes("GET") : true;
  if (!data || !isMeant || query.some(([key]) => !key)) return null;
  const output = printed(request) ? [] : [`-o ${word(outputOf(request))}`];
  const pairs = query.map(([key, value]) => word(`${key}=${value}`));
  const host = new URL(request.address).origin;
  return [`tarp call ${host} ${word(name)}`, ...pairs, ...data, ...output].join(" \\\n  ");
}

function dataOf({ type, body }) {
  if (!body) return [];
  if (typeof body !== "string" || body.startsWith("@")) return null;
  let isJson = false;
  try {
    isJson = /^[{[]/.test(body) && JSON.parse(body) !== undefined;
  } catch {
    // Then it is text.
  }
  const taken = isJson ? "application/json" : "text/plain";
  return type === taken ? [`--data ${shell(body)}`] : null;
}
