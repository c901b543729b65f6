/**
 * Quantities for people.
 */

const round = (number, digits = 3) => Number(number.toPrecision(digits));

/** 1,234 or 12.3 M. */
export function count(number) {
  if (Math.abs(number) < 10_000) return number.toLocaleString("en");
  const units = ["", " k", " M", " G", " T", " P", " E"];
  const step = Math.min(Math.floor(Math.log10(Math.abs(number)) / 3), units.length - 1);
  return round(number / 1000 ** step) + units[step];
}

export function bytes(number) {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const step = number < 1024 ? 0 : Math.min(Math.floor(Math.log2(number) / 10), units.length - 1);
  return step
    ? `${round(number / 1024 ** step)} ${units[step]}`
    : `${number} ${number === 1 ? "byte" : "bytes"}`;
}

/** A duration, given in microseconds. */
export function micros(number) {
  if (number < 1000) return `${Math.round(number)} µs`;
  if (number < 1e6) return `${round(number / 1000)} ms`;
  return seconds(number / 1e6);
}

export function seconds(number) {
  if (number < 60) return `${round(number)} s`;
  const units = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  const parts = [];
  let rest = Math.round(number);
  for (const [unit, size] of units) {
    if (rest >= size && parts.length < 2) parts.push(`${Math.floor(rest / size)} ${unit}`);
    rest %= size;
  }
  return parts.join(" ");
}

/** How long ago a time was, or the time itself where that is long. */
export function ago(time, now = Date.now()) {
  const passed = Math.max(0, (now - Date.parse(time)) / 1000);
  if (passed < 5) return "just now";
  if (passed < 86400)
    return `${seconds(passed < 60 ? Math.floor(passed) : Math.floor(passed / 60) * 60)} ago`;
  return clock(time);
}

export const clock = (time) =>
  new Date(time).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const hour = (time) => new Date(time).toLocaleTimeString(undefined, { hour12: false });

export const plural = (number, one, many = `${one}s`) =>
  `${count(number)} ${number === 1 ? one : many}`;
