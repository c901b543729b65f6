// A function for every type, which gives back what it gets, and one for every way to fail.

import { shout } from "./shout";

export type Colour = "red" | "darkBlue";
export enum Speed {
  Slow,
  VeryFast,
}
export interface Point {
  x: number;
  yOffset?: number;
}

export const identityNumber = (value: number): number => value;
export const identityBigint = (value: bigint): bigint => value;
export const identityBoolean = (value: boolean): boolean => value;
export const identityString = (value: string): string => value;
export const identityBytes = (value: Uint8Array): Uint8Array => value;
export const identityFloats = (value: Float64Array): Float64Array => value;
export const identityShorts = (value: Int16Array): Int16Array => value;
export const identityBigints = (value: BigInt64Array): BigInt64Array => value;
export const identityArray = (value: string[]): string[] => value;
export const identityMatrix = (value: number[][]): number[][] => value;
export const identitySet = (value: Set<string>): Set<string> => value;
export const identityTuple = (value: [string, number]): [string, number] => value;
export const identityRecord = (value: Record<string, Point>): Record<string, Point> => value;
export const identityMap = (value: Map<string, bigint>): Map<string, bigint> => value;
export const identityOptional = (value?: number): number | undefined => value;
export const identityNull = (value: string | null): string | null => value;
export const identityUnion = (value: Colour): Colour => value;
export const identityEnum = (value: Speed): Speed => value;
export type Figure = { kind: "circle"; radius: number } | { kind: "bigBox"; w: number; at?: Point } | { kind: "point" };
export const identityTagged = (value: Figure): Figure => value;
/** What the function itself sees. */
export const kindOf = (value: Figure): string => `${value.kind} ${Object.keys(value).length}`;
export const largeBigints = (): bigint[] => [2n ** 62n + 1n, -(2n ** 63n)];
export const largeTyped = (): BigUint64Array => BigUint64Array.of(2n ** 64n - 1n);
export const tooLarge = (): bigint[] => [1n, 2n ** 63n];
export const wrongTag = (): Figure => ({ kind: "cube" }) as unknown as Figure;
export const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");
export const identityInterface = (value: Point): Point => value;
export const identityNested = (value: Map<string, Point[]>[]): Map<string, Point[]>[] => value;

/** What arrives, as JavaScript sees it. */
export function seen(
  point: Point,
  colour: Colour,
  speed: Speed,
  bytes: Uint8Array,
  floats: Float64Array,
  map: Map<string, bigint>,
  record: Record<string, number>,
  missing?: number,
  nothing: number | null = null,
): string {
  const kinds = [bytes, floats, map, record].map((value) => value.constructor.name);
  const parts = [Object.keys(point), colour, speed, kinds, map.get("a") === 7n, record.b, missing, nothing];
  return parts.map(String).join(" ");
}

export function failsDeep(text: string): number {
  const deepest = () => {
    throw new RangeError(shout(text), { cause: new Error("the reason") });
  };
  console.log("about to fail", { text });
  return deepest();
}

export function throwsText(): number {
  throw "only a text";
}

export function throwsInAnotherFile(): number {
  return shout(undefined as unknown as string).length;
}

export const wrongResult = (): number => "x" as unknown as number;
export const wrongElement = (): { list: number[] } => ({ list: [1, "2" as unknown as number] });
export const wrongCase = (): Colour => "green" as Colour;
export const largeResult = (): bigint => 2n ** 60n;

export async function rejects(): Promise<number> {
  await null;
  throw new Error("later");
}

export async function sleeps(milliseconds: number): Promise<number> {
  const start = Date.now();
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  for (let turn = 0; turn < 1000; turn++) await null;
  let ticks = 0;
  await new Promise<void>((resolve) => {
    const handle = setInterval(() => {
      if (++ticks < 3) return;
      clearInterval(handle);
      resolve();
    }, 1);
  });
  clearTimeout(setTimeout(() => console.error("not cleared"), 0));
  return Date.now() - start;
}

export const waitsForEver = async (): Promise<number> => new Promise(() => {});

export const random = (): number[] => [Math.random(), Math.random()];
export const uuid = (): string => crypto.randomUUID();

/** What becomes of bytes on their way through text. */
export function recode(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(bytes));
}

export const total = (...numbers: number[]): number => numbers.reduce((sum, it) => sum + it, 0);

let calls = 0;
/** Every call begins with the module as it was built. */
export const countCalls = (): number => ++calls;
