// Puts the bundled module into QuickJS.
//
//     node componentize.mjs NODE_MODULES FOLDER WORK sync|async
//
// FOLDER is the author's, of which paths are told; WORK has `module.mjs` and its `lines.json`, and the
// folder `wit`, and gets `component.wasm`. Writes JSON: `{"faults": [...]}`.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [modules, folder, work, kind] = process.argv.slice(2);
const { componentize } = createRequire(path.join(modules, "x.js"))("componentize-qjs");

async function main() {
  const jsSource = readFileSync(path.join(work, "module.mjs"), "utf8");
  try {
    const { component } = await componentize({ witPath: path.join(work, "wit"), jsSource, sync: kind === "sync" });
    writeFileSync(path.join(work, "component.wasm"), component);
  } catch (error) {
    return { faults: [atStart(error, JSON.parse(readFileSync(path.join(work, "lines.json"), "utf8")))] };
  }
  return { faults: [] };
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

process.stdout.write(JSON.stringify(await main()));
