/**
 * What a procedure printed.
 */
import { Code, html } from "./ui.js";

const STREAMS = [
  ["stdout", "Standard output"],
  ["stderr", "Standard error"],
];

/** `printed` is a Map that may have `stdout` and `stderr`. */
export function Printed({ printed }) {
  return STREAMS.map(
    ([key, title]) =>
      printed.get(key) && html`<h3>${title}</h3><${Code} text=${printed.get(key)} label=${title} />`,
  );
}
