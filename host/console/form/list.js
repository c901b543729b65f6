/**
 * A list of anything: items one below the other, to be added and removed.
 */
import { blank, freshId } from "../lib/draft.js";
import { kindOf } from "../lib/types.js";
import { Icon, html, useRef } from "../parts/ui.js";
import { Bare } from "./field.js";

export function ListField({ type, draft, onChange, path, name }) {
  const adder = useRef(null);
  const { items } = draft;
  const add = () => onChange({ items: [...items, { id: freshId(), draft: blank(type.list) }] });
  const remove = (id) => {
    onChange({ items: items.filter((item) => item.id !== id) });
    // The button that had the focus is gone.
    adder.current?.focus();
  };
  const change = (id) => (inner) =>
    onChange({ items: items.map((item) => (item.id === id ? { id, draft: inner } : item)) });
  return html`
    ${
      items.length > 0 &&
      html`
      <ol class="list-items">
        ${items.map(
          (item, i) => html`
            <li key=${item.id}>
              <span class="ordinal" aria-hidden="true">${i + 1}</span>
              <div class="item" role="group" aria-label=${`${name}, item ${i + 1}`}>
                <${Bare}
                  type=${type.list}
                  draft=${item.draft}
                  onChange=${change(item.id)}
                  path=${`${path}[${i}]`}
                  name=${`${name} ${i + 1}`}
                  label=${`${name}, item ${i + 1}`}
                />
              </div>
              <button
                type="button"
                class="quiet square"
                aria-label=${`Remove item ${i + 1} of ${name}`}
                onClick=${() => remove(item.id)}
              >
                <${Icon} name="minus" />
              </button>
            </li>
          `,
        )}
      </ol>
    `
    }
    <p class="tools">
      <button type="button" class="quiet small" ref=${adder} onClick=${add}>
        <${Icon} name="plus" />Add ${wordOf(type.list)}
      </button>
      ${items.length === 0 && html`<span class="faint">an empty list</span>`}
    </p>
  `;
}

const wordOf = (type) =>
  ({ string: "text", bool: "truth value", char: "character" })[kindOf(type)] ?? kindOf(type);
