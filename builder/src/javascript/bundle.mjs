// Bundles the entry with all that it imports.
//
//     node bundle.mjs NODE_MODULES FOLDER WORK
//
// FOLDER is the author's, of which paths are told; WORK has `entry.mjs` and the runtime in `guest`, and gets
// `module.mjs` and `lines.json`, which knows the author's lines. Writes JSON:
// `{"faults": [...], "warnings": [...], "inputs": [...], "imports": [...]}`; `imports` are the interfaces of
// the host that the bundle asks for.

import { writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";

const [modules, folder, work] = process.argv.slice(2);
const esbuild = createRequire(path.join(modules, "x.js"))("esbuild");

const guest = (name) => path.join(work, "guest", name);

/** The modules of Node that there are, as far as WASI goes. */
const OF_NODE = { fs: "fs.mjs", "fs/promises": "fs-promises.mjs", process: "process.mjs" };
const alias = Object.fromEntries(
  Object.entries(OF_NODE).flatMap(([name, file]) => [name, `node:${name}`].map((it) => [it, guest(file)])),
);
// It is npm's, and complete.
for (const name of ["buffer", "node:buffer"]) alias[name] = path.join(modules, "buffer/index.js");

async function main() {
  let built;
  try {
    built = await esbuild.build({
      absWorkingDir: process.cwd(),
      alias,
      bundle: true,
      charset: "utf8",
      // What packages have for browsers does without Node, as a procedure must.
      conditions: ["browser", "module", "import"],
      define: { "process.env.NODE_ENV": '"production"' },
      entryPoints: [path.join(work, "entry.mjs")],
      external: ["wasi:*", "tarp:*"],
      format: "esm",
      // What a browser and Node have without an import, for those alone that use it.
      inject: [guest("web/fetch.mjs"), guest("web/buffer.mjs")],
      legalComments: "inline",
      logLevel: "silent",
      mainFields: ["browser", "module", "main"],
      metafile: true,
      outfile: path.join(work, "module.mjs"),
      platform: "browser",
      sourcemap: "external",
      target: "es2022",
      write: false,
    });
  } catch (error) {
    if (!error.errors) throw error;
    return { faults: error.errors.map(fault), warnings: [] };
  }
  const [map, code] = built.outputFiles.map((file) => file.text);
  const table = lineTable(JSON.parse(map));
  // What the runtime's stacks are told with.
  const jsSource = `${code}\nglobalThis[Symbol.for("tarp.lines")] = ${JSON.stringify(table)};\n`;
  writeFileSync(path.join(work, "module.mjs"), jsSource);
  writeFileSync(path.join(work, "lines.json"), JSON.stringify(table));
  const inputs = Object.keys(built.metafile.inputs).map((file) => path.resolve(file));
  const [{ imports }] = Object.values(built.metafile.outputs).filter(({ entryPoint }) => entryPoint);
  const asked = imports.filter(({ external }) => external).map(({ path }) => path);
  return { faults: [], warnings: built.warnings.map(fault), inputs, imports: [...new Set(asked)].sort() };
}

/** What opens sockets by itself, which nothing that npm installs can do in a procedure. */
const CLIENTS = ["axios", "cross-fetch", "got", "isomorphic-fetch", "ky", "node-fetch", "superagent", "undici", "ws"];
const SOCKETS = ["dgram", "dns", "http", "http2", "https", "net", "tls"];
const FETCH = "use `fetch`, which needs no import: the host sends its requests to the servers that the sidecar grants";

function unresolved(missing) {
  if (isBuiltin(missing)) {
    const name = missing.replace(/^node:/, "");
    const has = [...Object.keys(OF_NODE), "buffer"].map((name) => `\`node:${name}\``).join(", ");
    const instead = SOCKETS.includes(name) ? `; ${FETCH}` : `; there are ${has}, and \`fetch\``;
    return `\`${missing}\` is a part of Node that a procedure does not have${instead}`;
  }
  if (CLIENTS.includes(missing)) return `\`${missing}\` opens sockets by itself, which a procedure cannot; ${FETCH}`;
  const bare = !/^[./]/.test(missing);
  return `\`${missing}\` cannot be found${bare ? `; \`npm install ${missing}\` in the project brings it` : ""}`;
}

function fault({ text, location, notes }) {
  const missing = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
  let message = text;
  if (missing) {
    message = unresolved(missing);
  } else if (/^No loader is configured for "\.node"/.test(text)) {
    message = "this is machine code, which no component can run; take a package of JavaScript alone, or write the procedure in Rust or C";
  } else if (notes?.length) {
    message += ` (${notes.map((note) => note.text).join("; ")})`;
  }
  return { file: location?.file ?? folder, line: location?.line ?? null, message };
}

/** For each line of the bundle the author's file and line. */
function lineTable({ sources, mappings }) {
  const own = (source) => {
    const full = path.resolve(work, source);
    return full.startsWith(work + path.sep) ? null : path.relative(folder, full);
  };
  const names = sources.map(own);
  let [source, line] = [0, 0];
  const lines = mappings.split(";").map((segments) => {
    let first;
    for (const segment of segments ? segments.split(",") : []) {
      const [, sourceStep, lineStep] = vlq(segment);
      if (sourceStep === undefined) continue;
      source += sourceStep;
      line += lineStep;
      first ??= names[source] === null ? undefined : [source, line + 1];
    }
    return first ?? 0;
  });
  return { sources: names, lines };
}

/** The numbers of a segment of a source map. */
function vlq(segment) {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const digit of segment) {
    const bits = digits.indexOf(digit);
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    numbers.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}

process.stdout.write(JSON.stringify(await main()));
