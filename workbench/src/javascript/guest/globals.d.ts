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

declare module "tarp:procedure/job@0.1.0" {
  type Level = "trace" | "debug" | "info" | "warn" | "error";
  const job: {
    progress(done: number, total: number | null, message: string | null): void;
    cancelled(): boolean;
    log(level: Level, message: string): void;
  };
  export default job;
}
