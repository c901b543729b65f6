/** Names as people write them in JavaScript. */
export function log(x: number): string {
  return `log ${x}`;
}

export function init(x: number): string {
  return `init ${x}`;
}

export function free(x: number): string {
  return `free ${x}`;
}

export function peakWidth(halfMaximum: number, T = 300, $scale?: number): number[] {
  return [halfMaximum, T, $scale ?? 1];
}

export function both(t: number, T: number): number[] {
  return [t, T];
}

interface Acid {
  pKa: number;
  "x-y"?: number;
  größe?: string;
}

type Unit = "m" | "M" | "2d" | "log-log" | "";

enum Speed {
  Slow,
  VeryFast,
}

/** What it says. */
export function acid(acid: Acid): Acid {
  return { ...acid, pKa: acid.pKa + 1 };
}

export function unit(unit: Unit, speed: Speed = Speed.VeryFast): [Unit, Speed] {
  return [unit, speed];
}

export function counts(words: Record<string, number>, by: Map<bigint, string>): Map<string, Record<string, number>> {
  return new Map([...by].map(([key, name]) => [name, { ...words, [`n${key}`]: Number(key) }]));
}

export function distinct(numbers: Set<number>): Set<string> {
  return new Set([...numbers].map((n) => `n${n}`));
}
