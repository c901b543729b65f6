/**
 * The part of a form for one type, whatever it is: chooses among the others, which come back here for
 * what is nested. A field has a `path`, such as `points[2].x`, that names its faults and its elements.
 */
import { brief, columnsOf, isBytes, isMatrix, isNumbers, kindOf } from "../lib/types.js";
import { partsOf } from "../lib/draft.js";
import { html } from "../parts/ui.js";
import { BytesField } from "./bytes.js";
import { CaseField, EnumField, FlagsField, OptionField } from "./choice.js";
import { idOf } from "./fault.js";
import { ListField } from "./list.js";
import { MapField } from "./map.js";
import { NumbersField } from "./numbers.js";
import { RowsField } from "./rows.js";
import { BoolField, ScalarField } from "./scalar.js";
import { useDrop } from "./take.js";

function componentOf(type) {
  switch (kindOf(type)) {
    case "bool":
      return BoolField;
    case "list":
      if (isBytes(type)) return BytesField;
      if (isNumbers(type) || isMatrix(type)) return NumbersField;
      return columnsOf(type) ? RowsField : ListField;
    case "map":
      return MapField;
    case "record":
    case "tuple":
      return PartsField;
    case "option":
      return OptionField;
    case "enum":
      return EnumField;
    case "flags":
      return FlagsField;
    case "variant":
    case "result":
      return CaseField;
    default:
      return ScalarField;
  }
}

/** Of several controls, which a legend names rather than a label. */
const GROUPS = new Set([
  BytesField,
  RowsField,
  ListField,
  MapField,
  PartsField,
  OptionField,
  FlagsField,
  CaseField,
]);

/**
 * A named field: `{name, type, draft, onChange, path}`; `mark` stands behind the name, and `about` below
 * it. A file that is dropped anywhere on it goes into it, where it takes files.
 */
export function Field({ name, mark, about, ...rest }) {
  const { isOver, handlers } = useDrop();
  const Control = componentOf(rest.type);
  const kind = `field ${isOver ? "over" : ""}`;
  const title = html`<span class="name">${name}</span><span class="type">${brief(rest.type)}</span>${mark}`;
  if (GROUPS.has(Control)) {
    return html`
      <fieldset class=${`${kind} group`} data-path=${rest.path} ...${handlers}>
        <legend>${title}</legend>
        ${about}
        <${Control} ...${rest} name=${name} />
      </fieldset>
    `;
  }
  return html`
    <div class=${kind} data-path=${rest.path} ...${handlers}>
      <label for=${idOf(rest.path)}>${title}</label>
      ${about}
      <${Control} ...${rest} name=${name} />
    </div>
  `;
}

/** The same without a name of its own, where what is around it says it. */
export function Bare(props) {
  return html`<${componentOf(props.type)} ...${props} />`;
}

function PartsField({ type, draft, onChange, path }) {
  const isRecord = kindOf(type) === "record";
  const change = (i) => (part) =>
    onChange({ parts: draft.parts.map((old, j) => (j === i ? part : old)) });
  return html`
    <div class="parts">
      ${partsOf(type).map(
        (part, i) => html`
          <${Field}
            key=${part.name}
            name=${part.name}
            type=${part.type}
            draft=${draft.parts[i]}
            onChange=${change(i)}
            path=${path + (isRecord ? `.${part.name}` : `[${i}]`)}
          />
        `,
      )}
    </div>
  `;
}
