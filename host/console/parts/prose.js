/**
 * Documentation as its author wrote it: paragraphs, lists, and `code` in backticks. It comes from a
 * guest, so all of it is built as text nodes.
 */
import { html } from "./ui.js";

export function Prose({ text }) {
  const blocks = text
    .trim()
    .split(/\n\s*\n/)
    .filter(Boolean);
  return html`<div class="prose">${blocks.map(block)}</div>`;
}

/** The first sentence, for a list. */
export function firstSentence(text) {
  const paragraph = text
    .trim()
    .split(/\n\s*\n/, 1)[0]
    .replace(/\s+/g, " ");
  return (/^.*?[.!?](?=\s|$)/.exec(paragraph)?.[0] ?? paragraph).replaceAll("`", "");
}

function block(text) {
  const lines = text.split("\n");
  if (lines.every((line) => /^( {4}|\t)/.test(line))) {
    return html`
      <pre tabindex="0"><code>${lines.map((line) => line.replace(/^( {4}|\t)/, "")).join("\n")}</code></pre>
    `;
  }
  if (/^\s*[-*] /.test(lines[0])) {
    const items = text.split(/\n(?=\s*[-*] )/).map((item) => item.replace(/^\s*[-*] /, ""));
    return html`<ul>${items.map((item) => html`<li>${spans(item)}</li>`)}</ul>`;
  }
  return html`<p>${spans(text)}</p>`;
}

const spans = (text) =>
  text
    .split(/(`[^`\n]+`)/)
    .map((part) => (/^`.+`$/.test(part) ? html`<code>${part.slice(1, -1)}</code>` : part));
