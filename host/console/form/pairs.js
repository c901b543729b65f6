/**
 * Names with values, such as a query.
 */
import { freshId } from "../lib/draft.js";
import { Icon, html } from "../parts/ui.js";

export const emptyPair = () => ({ id: freshId(), name: "", value: "" });

/** Names with values, to be added and removed. */
export function Pairs({ title, pairs, onChange }) {
  const change = (id, part) =>
    onChange(pairs.map((pair) => (pair.id === id ? { ...pair, ...part } : pair)));
  return html`
    <fieldset class="field group">
      <legend><span class="name">${title}</span></legend>
      ${pairs.map(
        (pair, i) => html`
          <div class="pair" key=${pair.id}>
            <input
              type="text"
              aria-label=${`${title}: name ${i + 1}`}
              placeholder="name"
              value=${pair.name}
              onInput=${(event) => change(pair.id, { name: event.target.value })}
            />
            <input
              type="text"
              aria-label=${`${title}: value ${i + 1}`}
              placeholder="value"
              value=${pair.value}
              onInput=${(event) => change(pair.id, { value: event.target.value })}
            />
            <button
              type="button"
              class="quiet square"
              aria-label=${`Remove ${title.toLowerCase()} ${i + 1}`}
              onClick=${() => onChange(pairs.filter(({ id }) => id !== pair.id))}
            >
              <${Icon} name="minus" />
            </button>
          </div>
        `,
      )}
      <p class="tools">
        <button type="button" class="quiet small" onClick=${() => onChange([...pairs, emptyPair()])}>
          <${Icon} name="plus" />Add
        </button>
      </p>
    </fieldset>
  `;
}
