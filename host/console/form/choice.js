/**
 * Choices: one name of an enum, a set of flags, a case with what it carries, something or nothing.
 */
import { casesOf, payloadOf } from "../lib/draft.js";
import { brief, kindOf } from "../lib/types.js";
import { html } from "../parts/ui.js";
import { idOf } from "./fault.js";
import { Bare } from "./field.js";

export function EnumField({ type, draft, onChange, path, label }) {
  return html`
    <select
      id=${idOf(path)}
      aria-label=${label}
      value=${draft}
      onChange=${(event) => onChange(event.target.value)}
    >
      ${type.enum.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>
  `;
}

export function FlagsField({ type, draft, onChange }) {
  const toggle = (name) => (event) =>
    // In the order of the type, whatever was clicked first.
    onChange(
      type.flags.filter((one) => (one === name ? event.target.checked : draft.includes(one))),
    );
  return html`
    <div class="flags">
      ${type.flags.map(
        (name) => html`
          <label key=${name} class=${draft.includes(name) ? "chosen" : ""}>
            <input type="checkbox" checked=${draft.includes(name)} onChange=${toggle(name)} />${name}
          </label>
        `,
      )}
    </div>
  `;
}

export function OptionField({ type, draft, onChange, path, name }) {
  return html`
    <label class="given">
      <input
        type="checkbox"
        checked=${draft.some}
        onChange=${(event) => onChange({ ...draft, some: event.target.checked })}
      />
      ${draft.some ? "given" : "left out"}
    </label>
    ${
      (draft.some || takesFiles(type.option)) &&
      html`
      <div class="nested" hidden=${!draft.some}>
        <${Bare}
          type=${type.option}
          draft=${draft.draft}
          onChange=${(inner) => onChange({ some: true, draft: inner })}
          path=${path}
          name=${name}
          label=${name}
        />
      </div>
    `
    }
  `;
}

/** Whether it is there for a file to be dropped on it while it is left out. */
const takesFiles = (type) => type === "string" || kindOf(type) === "list";

/** Variants and results. */
export function CaseField({ type, draft, onChange, path, name }) {
  const cases = casesOf(type);
  const chosen = cases.find((one) => one.name === draft.name);
  return html`
    <select
      id=${idOf(path)}
      aria-label=${`${name}: case`}
      value=${draft.name}
      onChange=${(event) => onChange({ ...draft, name: event.target.value })}
    >
      ${cases.map(
        (one) => html`
        <option key=${one.name} value=${one.name}>
          ${one.type ? `${one.name} (${brief(one.type)})` : one.name}
        </option>
      `,
      )}
    </select>
    ${
      chosen.type &&
      html`
      <div class="nested" key=${chosen.name}>
        <${Bare}
          type=${chosen.type}
          draft=${payloadOf(draft, chosen)}
          onChange=${(inner) => onChange({ ...draft, drafts: { ...draft.drafts, [chosen.name]: inner } })}
          path=${`${path}.${chosen.name}`}
          name=${chosen.name}
          label=${chosen.name}
        />
      </div>
    `
    }
  `;
}
