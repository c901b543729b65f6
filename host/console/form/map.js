/**
 * A map: a key and a value on each line, to be added and removed.
 */
import { blank, freshId } from "../lib/draft.js";
import { brief } from "../lib/types.js";
import { Icon, html, useRef } from "../parts/ui.js";
import { Bare } from "./field.js";

/** More entries are kept, and not drawn. */
const DRAWN = 100;

export function MapField({ type, draft, onChange, path, name }) {
  const adder = useRef(null);
  const { entries } = draft;
  const { key, value } = type.map;
  const add = () =>
    onChange({ entries: [...entries, { id: freshId(), key: blank(key), value: blank(value) }] });
  const remove = (id) => {
    onChange({ entries: entries.filter((entry) => entry.id !== id) });
    // The button that had the focus is gone.
    adder.current?.focus();
  };
  const change = (id, part) => (inner) =>
    onChange({
      entries: entries.map((entry) => (entry.id === id ? { ...entry, [part]: inner } : entry)),
    });
  const side = (entry, i, part, type) => html`
    <div class="item" role="group" aria-label=${`${name}, ${part} ${i + 1}`}>
      <${Bare}
        type=${type}
        draft=${entry[part]}
        onChange=${change(entry.id, part)}
        path=${`${path}[${i}].${part}`}
        name=${`${name}, ${part} ${i + 1}`}
        label=${`${name}, ${part} ${i + 1}`}
      />
    </div>
  `;
  return html`
    ${
      entries.length > 0 &&
      html`
      <p class="entry titles" aria-hidden="true">
        <span>key <span class="type">${brief(key)}</span></span>
        <span>value <span class="type">${brief(value)}</span></span>
      </p>
      <ol class="entries" aria-label=${`${name}, entries`}>
        ${entries.slice(0, DRAWN).map(
          (entry, i) => html`
            <li class="entry" key=${entry.id}>
              ${side(entry, i, "key", key)} ${side(entry, i, "value", value)}
              <button
                type="button"
                class="quiet square"
                aria-label=${`Remove entry ${i + 1} of ${name}`}
                onClick=${() => remove(entry.id)}
              >
                <${Icon} name="minus" />
              </button>
            </li>
          `,
        )}
      </ol>
    `
    }
    ${
      entries.length > DRAWN &&
      html`
      <p class="faint">The first ${DRAWN} of ${entries.length} entries; all of them are sent.</p>
    `
    }
    <p class="tools">
      <button type="button" class="quiet small" ref=${adder} onClick=${add}>
        <${Icon} name="plus" />Add entry
      </button>
      ${entries.length === 0 && html`<span class="faint">an empty map</span>`}
    </p>
  `;
}
