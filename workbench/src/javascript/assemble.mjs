// Makes the component: bundles the entry with all that it imports, and puts the result into QuickJS.
//
//     node assemble.mjs NODE_MODULES FOLDER WORK sync|async
//
// FOLDER is the author's, of which paths are told; WORK has `entry.mjs` and the folder `wit`, and gets
// `component.wasm`. Writes JSON: `{"faults": [...], "warnings": [...], "inputs": [...]}`.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";

const [modules, folder, work, kind] = process.argv.slice(2);
const require = createRequire(path.join(modules, "x.js"));
const esbuild = require("esbuild");
const { componentize } = require("componentize-qjs");

const bundle = path.join(work, "bundle.mjs");

async function main() {
  let built;
  try {
    built = await esbuild.build({
      absWorkingDir: process.cwd(),
      bundle: true,
      charset: "utf8",
      conditions: ["module", "import"],
      entryPoints: [path.join(work, "entry.mjs")],
      external: ["wasi:*", "tarp:*"],
      format: "esm",
      legalComments: "inline",
      logLevel: "silent",
      mainFields: ["module", "main"],
      metafile: true,
      outfile: bundle,
      platform: "neutral",
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
  try {
    const { component } = await componentize({ witPath: path.join(work, "wit"), jsSource, sync: kind === "sync" });
    writeFileSync(path.join(work, "component.wasm"), component);
  } catch (error) {
    return { faults: [atStart(error, table)], warnings: [] };
  }
  const inputs = Object.keys(built.metafile.inputs).map((file) => path.resolve(file));
  return { faults: [], warnings: built.warnings.map(fault), inputs };
}

function fault({ text, location, notes }) {
  const missing = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
  let message = text;
  if (missing) {
    const bare = !/^[./]/.test(missing);
    message = isBuiltin(missing)
      ? `\`${missing}\` is a part of Node; a procedure runs in a sandbox without files, network and processes`
      : `\`${missing}\` cannot be found${bare ? `; \`npm install ${missing}\` in the project brings it` : ""}`;
  } else if (notes?.length) {
    message += ` (${notes.map((note) => note.text).join("; ")})`;
  }
  return { file: location?.file ?? folder, line: location?.line ?? null, message };
}

/** What the module said when it was run to be stored, where it said it. */
function atStart(error, { sources, lines }) {
  const said = error.message.replace(/^[^]*module evaluation: /, "");
  const frames = [...said.matchAll(/:(\d+):\d+\)?$/gm)].map(([, line]) => lines[line - 1]);
  const [source, line] = frames.find(Boolean) ?? [];
  const file = line ? path.relative(process.cwd(), path.join(folder, sources[source])) : folder;
  const [what] = said.trim().split("\n    at ");
  return { file, line: line ?? null, message: `the module cannot be started: ${what}` };
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
