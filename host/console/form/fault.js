/** What is wrong with a field, said below it. */
import { createContext, html, useContext } from "../parts/ui.js";

/** What is wrong, by path, as far as it is to be shown. */
export const Faults = createContext(new Map());

/** A path as the id of an element. */
export const idOf = (path) => `field-${path}`;

const sentence = (text) =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?…]$/.test(text) ? "" : "."}`;

/** How a field's element and a note below it tell of its fault, if it has one. */
export function useFault(path) {
  const message = useContext(Faults).get(path);
  const id = `${idOf(path)}-fault`;
  return {
    attributes: message ? { "aria-invalid": "true", "aria-describedby": id } : {},
    note: message ? html`<p class="fault" id=${id}>${sentence(message)}</p>` : null,
  };
}
