/**
 * What was typed into forms, by procedure and by the name and type of its parameters. It is kept in
 * this tab: over a reload, a new version of the procedure, and pages in between.
 */
import { useCallback, useEffect, useRef, useState } from "../vendor/htm-3.1.1/standalone.module.js";
import { blank, draftOf } from "./draft.js";

/** With the version of the shape of drafts. */
const PREFIX = "tarp-form-1:";
/** How many characters of one draft are kept over a reload; the browser keeps some five million in all. */
const MOST = 1_000_000;
const LATER = 250;

/** In place of a draft that was too large to be kept. */
export const LOST = "too large to be kept over a reload";

const memory = new Map();
/** How to fill the forms that are shown. */
const forms = new Map();
const waiting = new Map();
/** The JSON of drafts that did not change since it was written. */
const written = new WeakMap();

export const keyOf = ({ name, type }) => JSON.stringify([name, type]);

/** What was typed for a procedure: a Map from keys to drafts. */
export function recall(procedure) {
  if (!memory.has(procedure)) {
    let stored = {};
    try {
      stored = JSON.parse(sessionStorage.getItem(PREFIX + procedure)) ?? {};
    } catch {
      // Nothing is kept here, or it is not ours.
    }
    memory.set(procedure, new Map(Object.entries(stored)));
  }
  return memory.get(procedure);
}

export function keep(procedure, drafts) {
  memory.set(procedure, drafts);
  clearTimeout(waiting.get(procedure));
  waiting.set(
    procedure,
    setTimeout(() => store(procedure), LATER),
  );
}

function store(procedure) {
  clearTimeout(waiting.get(procedure));
  waiting.delete(procedure);
  const drafts = memory.get(procedure);
  try {
    if (!drafts.size) return sessionStorage.removeItem(PREFIX + procedure);
    const entries = [...drafts].map(([key, draft]) => `${JSON.stringify(key)}:${jsonOf(draft)}`);
    sessionStorage.setItem(PREFIX + procedure, `{${entries.join(",")}}`);
  } catch {
    // Then it is kept as long as the page.
    sessionStorage.removeItem(PREFIX + procedure);
  }
}

function jsonOf(draft) {
  if (typeof draft !== "object" || draft === null) return writeDraft(draft);
  if (!written.has(draft)) written.set(draft, writeDraft(draft));
  return written.get(draft);
}

function writeDraft(draft) {
  if (sizeOf(draft, MOST) > MOST) return JSON.stringify({ [LOST]: true });
  // Of a file its name is kept.
  return JSON.stringify(draft, (_, value) => (value instanceof Uint8Array ? null : value));
}

/** About how many characters a draft has; no further than `most`. */
function sizeOf(draft, most) {
  if (typeof draft === "string") return draft.length;
  if (typeof draft !== "object" || draft === null || draft instanceof Uint8Array) return 8;
  let size = 8;
  for (const part of Array.isArray(draft) ? draft : Object.values(draft)) {
    size += sizeOf(part, most - size);
    if (size > most) break;
  }
  return size;
}

addEventListener("pagehide", () => [...waiting.keys()].forEach(store));

const initial = ({ type, ...rest }) =>
  "default" in rest ? draftOf(type, rest.default) : blank(type);

/** The drafts of a form: `{drafts, lost, fill, clear, isTouched}`. */
export function useDrafts(procedure) {
  const { name, parameters } = procedure;
  const [typed, setTyped] = useState(() => recall(name));
  const initials = useRef(new Map());
  useEffect(() => {
    forms.set(name, setTyped);
    return () => forms.delete(name);
  }, [name]);
  const isLost = (draft) => Boolean(draft?.[LOST]);
  const lost = new Set();
  const drafts = parameters.map((parameter) => {
    const draft = typed.get(keyOf(parameter));
    if (draft !== undefined && !isLost(draft)) return draft;
    if (isLost(draft)) lost.add(parameter.name);
    // The same object as long as nothing was typed, so that what is made of it stays.
    const key = `${keyOf(parameter)} ${procedure.signature}`;
    if (!initials.current.has(key)) initials.current.set(key, initial(parameter));
    return initials.current.get(key);
  });
  const change = (drafts) => {
    // At once: an effect of a form that is left before it is drawn never runs.
    keep(name, drafts);
    setTyped(drafts);
  };
  const fill = useCallback(
    (parameter, draft) => change(new Map(recall(name)).set(keyOf(parameter), draft)),
    [name],
  );
  const clear = useCallback(() => change(new Map()), [name]);
  return { drafts, lost, fill, clear, isTouched: typed.size > 0 };
}

/** Fills a form with arguments, a Map from names to values; what is not among them is as at first. */
export function prefill(procedure, values) {
  const given = procedure.parameters.filter(({ name }) => values.has(name));
  const drafts = new Map(
    given.map((one) => [keyOf(one), draftOf(one.type, values.get(one.name))]),
  );
  keep(procedure.name, drafts);
  forms.get(procedure.name)?.(drafts);
}

/** The one draft of a form without parameters, and how to change parts of it. */
export function useDraft(procedure, initial) {
  const kept = () => ({ ...initial, ...recall(procedure).get(REQUEST) });
  const [draft, setDraft] = useState(kept);
  const change = useCallback(
    (parts) => {
      const changed = { ...kept(), ...parts };
      keep(procedure, new Map([[REQUEST, changed]]));
      setDraft(changed);
    },
    [procedure],
  );
  useEffect(() => {
    forms.set(procedure, () => setDraft(kept()));
    return () => forms.delete(procedure);
  }, [procedure]);
  return [draft, change];
}

const REQUEST = "request";

/** Fills such a form. */
export function prefillDraft(procedure, draft) {
  keep(procedure, new Map([[REQUEST, draft]]));
  forms.get(procedure)?.();
}
