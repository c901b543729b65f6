// `node:fs`, as far as there is any: the files in the folders that the component was granted.

import preopens from "wasi:filesystem/preopens@0.2.0";

import { atBegin } from "./begin.mjs";
import { decodeUtf8, encodeUtf8 } from "./utf8.mjs";

/** How Node calls the errors of WASI. */
const CODES = {
  access: "EACCES", "bad-descriptor": "EBADF", busy: "EBUSY", quota: "EDQUOT", exist: "EEXIST",
  "file-too-large": "EFBIG", "illegal-byte-sequence": "EILSEQ", invalid: "EINVAL", io: "EIO",
  "is-directory": "EISDIR", loop: "ELOOP", "name-too-long": "ENAMETOOLONG", "no-entry": "ENOENT",
  "insufficient-memory": "ENOMEM", "insufficient-space": "ENOSPC", "not-directory": "ENOTDIR",
  "not-empty": "ENOTEMPTY", unsupported: "ENOTSUP", "not-permitted": "EPERM", "read-only": "EROFS",
  "cross-device": "EXDEV", "too-many-links": "EMLINK", "text-file-busy": "ETXTBSY",
};
/** Bytes that are read or written at once. */
const CHUNK = 1 << 20;
const FOLLOW = { symlinkFollow: true };

/** The folders, by their paths. */
let folders;
atBegin(() => {
  folders = undefined;
});

/** What Node says of some of them; the others speak for themselves. */
const TEXTS = {
  access: "permission denied",
  exist: "file already exists",
  "is-directory": "illegal operation on a directory",
  "no-entry": "no such file or directory",
  "not-directory": "not a directory",
  "not-empty": "directory not empty",
  "not-permitted": "operation not permitted",
};

function failure(reason, doing, path) {
  const code = CODES[reason];
  const text = TEXTS[reason] ?? reason.replaceAll("-", " ");
  const error = new Error(`${code}: ${text}, ${doing} '${path}'`);
  return Object.assign(error, { code, syscall: doing, path });
}

/** Does something with a path; its error is told as Node tells it. */
function at(doing, path, action) {
  const [folder, below] = place(doing, path);
  try {
    return action(folder, below);
  } catch (error) {
    const reason = error.payload;
    if (!(reason in CODES)) throw error;
    throw failure(reason, doing, path);
  }
}

/** The granted folder that a path is in, and the path from there. */
function place(doing, path) {
  if (typeof path !== "string") throw new TypeError(`a path is a string, not ${typeof path}`);
  const steps = [];
  for (const step of path.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  const full = `/${steps.join("/")}`;
  folders ??= preopens.getDirectories();
  const around = folders.filter(([, name]) => full === name || full.startsWith(name === "/" ? name : `${name}/`));
  const [found] = around.sort(([, a], [, b]) => b.length - a.length);
  if (!found) throw failure("no-entry", doing, path);
  const [folder, name] = found;
  return [folder, full.slice(name === "/" ? 1 : name.length + 1) || "."];
}

const encodingOf = (options) => (typeof options === "string" ? options : options?.encoding) ?? null;

function isUtf8(encoding) {
  if (encoding === null || encoding === "buffer") return false;
  if (/^utf-?8$/i.test(encoding)) return true;
  throw new RangeError(`the encoding ${encoding} is not known here, only utf-8`);
}

export function readFileSync(path, options) {
  const isText = isUtf8(encodingOf(options));
  const bytes = at("open", path, (folder, below) => {
    const file = folder.openAt(FOLLOW, below, {}, { read: true });
    if (file.stat().type === "directory") throw failure("is-directory", "open", path);
    const chunks = [];
    for (let offset = 0; ; ) {
      const [chunk, isEnd] = file.read(CHUNK, offset);
      if (chunk.length > 0) chunks.push(chunk);
      offset += chunk.length;
      if (isEnd || chunk.length === 0) break;
    }
    return joined(chunks);
  });
  return isText ? decodeUtf8(bytes) : bytes;
}

function joined(chunks) {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

function bytesOf(data) {
  if (typeof data === "string") return encodeUtf8(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  throw new TypeError("what is written is a string or bytes");
}

const FLAGS = {
  w: { create: true, truncate: true },
  wx: { create: true, exclusive: true },
  a: { create: true },
  ax: { create: true, exclusive: true },
  "r+": {},
};

export function writeFileSync(path, data, options) {
  isUtf8(encodingOf(options) ?? "utf8");
  const flag = options?.flag ?? "w";
  if (!(flag in FLAGS)) throw new TypeError(`the flag ${flag} is not known here`);
  const bytes = bytesOf(data);
  at("open", path, (folder, below) => {
    const file = folder.openAt(FOLLOW, below, FLAGS[flag], { read: true, write: true });
    let offset = flag.startsWith("a") ? Number(file.stat().size) : 0;
    for (let from = 0; from < bytes.length; ) {
      const written = Number(file.write(bytes.slice(from, from + CHUNK), offset));
      from += written;
      offset += written;
    }
  });
}

export const appendFileSync = (path, data, options) =>
  writeFileSync(path, data, { ...(typeof options === "string" ? {} : options), flag: "a" });

class Stats {
  constructor({ type, size, dataModificationTimestamp: modified }) {
    this.size = Number(size);
    this.mtimeMs = modified ? Number(modified.seconds) * 1000 + modified.nanoseconds / 1e6 : 0;
    this.mtime = new Date(this.mtimeMs);
    this.isFile = () => type === "regular-file";
    this.isDirectory = () => type === "directory";
    this.isSymbolicLink = () => type === "symbolic-link";
  }
}

export const statSync = (path) => at("stat", path, (folder, below) => new Stats(folder.statAt(FOLLOW, below)));
export const lstatSync = (path) => at("lstat", path, (folder, below) => new Stats(folder.statAt({}, below)));

export function existsSync(path) {
  try {
    statSync(path);
    return true;
  } catch {
    return false;
  }
}

export function readdirSync(path, options) {
  return at("scandir", path, (folder, below) => {
    const entries = folder.openAt(FOLLOW, below, { directory: true }, { read: true }).readDirectory();
    const found = [];
    for (let entry; (entry = entries.readDirectoryEntry()); ) found.push(entry);
    found.sort((a, b) => (a.name < b.name ? -1 : 1));
    if (!options?.withFileTypes) return found.map(({ name }) => name);
    return found.map(({ name, type }) => ({
      name,
      parentPath: path,
      isFile: () => type === "regular-file",
      isDirectory: () => type === "directory",
      isSymbolicLink: () => type === "symbolic-link",
    }));
  });
}

export function mkdirSync(path, options) {
  if (!options?.recursive) return at("mkdir", path, (folder, below) => folder.createDirectoryAt(below));
  const [, below] = place("mkdir", path);
  const above = path.replace(/\/+$/, "").slice(0, -below.length);
  let steps = "";
  for (const step of below.split("/")) {
    steps += steps ? `/${step}` : step;
    if (step !== "." && !existsSync(above + steps)) mkdirSync(above + steps);
  }
}

export const unlinkSync = (path) => at("unlink", path, (folder, below) => folder.unlinkFileAt(below));
export const rmdirSync = (path) => at("rmdir", path, (folder, below) => folder.removeDirectoryAt(below));

export function rmSync(path, options) {
  let stats;
  try {
    stats = lstatSync(path);
  } catch (error) {
    if (options?.force && error.code === "ENOENT") return;
    throw error;
  }
  if (!stats.isDirectory()) return unlinkSync(path);
  if (!options?.recursive) throw failure("is-directory", "rm", path);
  for (const name of readdirSync(path)) rmSync(`${path}/${name}`, options);
  rmdirSync(path);
}

export function renameSync(from, to) {
  const [folder, below] = place("rename", to);
  at("rename", from, (old, name) => old.renameAt(name, folder, below));
}

const later =
  (action) =>
  async (...given) =>
    action(...given);

export const promises = {
  readFile: later(readFileSync),
  writeFile: later(writeFileSync),
  appendFile: later(appendFileSync),
  stat: later(statSync),
  lstat: later(lstatSync),
  readdir: later(readdirSync),
  mkdir: later(mkdirSync),
  unlink: later(unlinkSync),
  rmdir: later(rmdirSync),
  rm: later(rmSync),
  rename: later(renameSync),
};

export default {
  readFileSync, writeFileSync, appendFileSync, statSync, lstatSync, existsSync, readdirSync, mkdirSync,
  unlinkSync, rmdirSync, rmSync, renameSync, promises,
};
