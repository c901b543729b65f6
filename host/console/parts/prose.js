/**
 * Documentation as its author wrote it, in Markdown. It comes from a guest, so all of it is built as
 * text nodes.
 */
import { elements } from "../lib/markdown.js";
import { h, html, useMemo } from "./ui.js";

export function Prose({ text, level = 2 }) {
  const drawn = useMemo(() => elements(text, h, level), [text, level]);
  return html`<div class="prose">${drawn}</div>`;
}

/** The first sentence, for a list. */
export function firstSentence(text) {
  const paragraph = text
    .trim()
    .split(/\n\s*\n/, 1)[0]
    .replace(/\s+/g, " ");
  return (/^.*?[.!?](?=\s|$)/.exec(paragraph)?.[0] ?? paragraph).replace(/[`*]/g, "");
}
