/**
 * A request to a web procedure as text to copy: curl, JavaScript, Python. Unlike `snippets.js` these know
 * methods and content types, and nothing of types.
 *
 * A request is `{method, address, type, body, file}`: `body` is a text, or the bytes of `file`; GET has none.
 */
import { shell } from "./snippets.js";

const isFile = ({ body }) => body instanceof Uint8Array;
const typeOf = (request) => (isFile(request) ? request.file.type : request.type);

export function curl(request) {
  if (request.method !== "POST") return `curl ${shell(request.address)}`;
  const body = isFile(request) ? `@${request.file.name}` : request.body || "";
  return [
    "curl",
    `-H ${shell(`Content-Type: ${typeOf(request)}`)}`,
    // Text that begins with `@` would be taken for a file's name.
    `${isFile(request) ? "--data-binary" : "--data-raw"} ${shell(body)}`,
    shell(request.address),
  ].join(" \\\n  ");
}

export function javascript(request) {
  const address = JSON.stringify(request.address);
  const last = "console.log(reply.status, await reply.text());";
  if (request.method !== "POST") return `const reply = await fetch(${address});\n${last}`;
  return [
    `const reply = await fetch(${address}, {`,
    '  method: "POST",',
    `  headers: { "Content-Type": ${JSON.stringify(typeOf(request))} },`,
    `  body: ${isFile(request) ? "file" : JSON.stringify(request.body || "")},`,
    "});",
    last,
  ].join("\n");
}

/** With what every Python has: the original client and ours call procedures with arguments. */
export function python(request) {
  const lines = ["from urllib.request import Request, urlopen", ""];
  if (request.method !== "POST") {
    lines.push(`with urlopen(${JSON.stringify(request.address)}) as reply:`);
  } else {
    const body = isFile(request)
      ? `open(${JSON.stringify(request.file.name)}, "rb").read()`
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
  return [...lines, "    print(reply.status, reply.read())"].join("\n");
}
