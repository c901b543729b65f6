// What the runtime gives to a module besides the language itself, for the analysis of types.

interface Console {
  assert(holds?: boolean, ...values: unknown[]): void;
  debug(...values: unknown[]): void;
  dir(...values: unknown[]): void;
  error(...values: unknown[]): void;
  info(...values: unknown[]): void;
  log(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  warn(...values: unknown[]): void;
}
declare var console: Console;

declare class TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  readonly encoding: string;
  decode(input?: ArrayBuffer | ArrayBufferView): string;
}

declare class Buffer extends Uint8Array {
  static alloc(size: number): Buffer;
  static byteLength(text: string, encoding?: string): number;
  static concat(list: readonly Uint8Array[], size?: number): Buffer;
  static from(data: string | ArrayBuffer | ArrayLike<number>, encoding?: string): Buffer;
  static isBuffer(value: unknown): value is Buffer;
  toString(encoding?: string, start?: number, end?: number): string;
}

interface Crypto {
  getRandomValues<T extends ArrayBufferView>(array: T): T;
  randomUUID(): string;
}
declare var crypto: Crypto;

declare var performance: { now(): number };
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare function queueMicrotask(callback: () => void): void;
declare function setTimeout<T extends unknown[]>(callback: (...given: T) => void, after?: number, ...given: T): number;
declare function setInterval<T extends unknown[]>(callback: (...given: T) => void, after?: number, ...given: T): number;
declare function setImmediate<T extends unknown[]>(callback: (...given: T) => void, ...given: T): number;
declare function clearTimeout(handle: number | undefined): void;
declare function clearInterval(handle: number | undefined): void;
declare function clearImmediate(handle: number | undefined): void;

declare module "tarp:procedure/http@0.1.0" {
  type Header = [name: string, value: Uint8Array];
  const http: {
    /** @throws the reason as text */
    send(request: {
      method: string;
      url: string;
      headers: Header[];
      body: Uint8Array;
      timeout: number | undefined;
    }): { status: number; headers: Header[]; body: Uint8Array };
  };
  export default http;
}

declare module "tarp:procedure/job@0.1.0" {
  type Level = "trace" | "debug" | "info" | "warn" | "error";
  const job: {
    progress(done: number, total: number | null, message: string | null): void;
    cancelled(): boolean;
    log(level: Level, message: string): void;
  };
  export default job;
}

declare class Headers {
  constructor(from?: Iterable<readonly [string, string]> | Record<string, string>);
  append(name: string, value: string): void;
  delete(name: string): void;
  get(name: string): string | null;
  getSetCookie(): string[];
  has(name: string): boolean;
  set(name: string, value: string): void;
  forEach(callback: (value: string, name: string, headers: Headers) => void): void;
  entries(): IterableIterator<[string, string]>;
  keys(): IterableIterator<string>;
  values(): IterableIterator<string>;
  [Symbol.iterator](): IterableIterator<[string, string]>;
}

declare class Response {
  readonly bodyUsed: boolean;
  readonly headers: Headers;
  readonly ok: boolean;
  readonly redirected: boolean;
  readonly status: number;
  readonly statusText: string;
  readonly url: string;
  arrayBuffer(): Promise<ArrayBuffer>;
  bytes(): Promise<Uint8Array>;
  json(): Promise<any>;
  text(): Promise<string>;
}

declare function fetch(
  address: string,
  options?: {
    method?: string;
    headers?: Headers | Iterable<readonly [string, string]> | Record<string, string>;
    body?: string | ArrayBuffer | ArrayBufferView | null;
    redirect?: "follow" | "error" | "manual";
  },
): Promise<Response>;

declare module "node:process" {
  export const env: Readonly<Record<string, string | undefined>>;
  export const argv: string[];
  export const platform: "wasi";
  export function cwd(): string;
  const process: { env: typeof env; argv: typeof argv; platform: typeof platform; cwd: typeof cwd };
  export default process;
}

declare module "node:fs" {
  type Encoding = "utf8" | "utf-8" | { encoding: "utf8" | "utf-8" };
  type Data = string | ArrayBufferView;
  interface Stats {
    size: number;
    mtimeMs: number;
    mtime: Date;
    isFile(): boolean;
    isDirectory(): boolean;
    isSymbolicLink(): boolean;
  }
  interface Dirent {
    name: string;
    parentPath: string;
    isFile(): boolean;
    isDirectory(): boolean;
    isSymbolicLink(): boolean;
  }
  export function readFileSync(path: string): Uint8Array;
  export function readFileSync(path: string, options: Encoding): string;
  export function writeFileSync(path: string, data: Data, options?: "utf8" | { encoding?: "utf8"; flag?: string }): void;
  export function appendFileSync(path: string, data: Data): void;
  export function statSync(path: string): Stats;
  export function lstatSync(path: string): Stats;
  export function existsSync(path: string): boolean;
  export function readdirSync(path: string): string[];
  export function readdirSync(path: string, options: { withFileTypes: true }): Dirent[];
  export function mkdirSync(path: string, options?: { recursive?: boolean }): void;
  export function unlinkSync(path: string): void;
  export function rmdirSync(path: string): void;
  export function rmSync(path: string, options?: { recursive?: boolean; force?: boolean }): void;
  export function renameSync(from: string, to: string): void;
  export const promises: typeof import("node:fs/promises");
}

declare module "node:fs/promises" {
  type Encoding = "utf8" | "utf-8" | { encoding: "utf8" | "utf-8" };
  type Data = string | ArrayBufferView;
  export function readFile(path: string): Promise<Uint8Array>;
  export function readFile(path: string, options: Encoding): Promise<string>;
  export function writeFile(path: string, data: Data, options?: "utf8" | { encoding?: "utf8"; flag?: string }): Promise<void>;
  export function appendFile(path: string, data: Data): Promise<void>;
  export function stat(path: string): Promise<import("node:fs").Stats>;
  export function lstat(path: string): Promise<import("node:fs").Stats>;
  export function readdir(path: string): Promise<string[]>;
  export function readdir(path: string, options: { withFileTypes: true }): Promise<import("node:fs").Dirent[]>;
  export function mkdir(path: string, options?: { recursive?: boolean }): Promise<void>;
  export function unlink(path: string): Promise<void>;
  export function rmdir(path: string): Promise<void>;
  export function rm(path: string, options?: { recursive?: boolean; force?: boolean }): Promise<void>;
  export function rename(from: string, to: string): Promise<void>;
}

declare module "fs" {
  export * from "node:fs";
}

declare module "fs/promises" {
  export * from "node:fs/promises";
}

declare module "process" {
  export * from "node:process";
  export { default } from "node:process";
}
