/**
 * Markdown as elements. It comes from a guest: all of its words become text nodes, HTML in it too, and
 * nothing in it is fetched. `h` makes an element, so that it serves the console and the viewer of the
 * OpenAPI document alike.
 */
import { lexer } from "../vendor/marked-18.2.1/marked.esm.js";

/** Longer texts are shown as they are. */
const MAX_LENGTH = 50_000;
/** Deeper nesting, too. */
const DEEPEST = 20;

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: "\u00a0" };
const plain = (text) => text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name) => ENTITIES[name]);

/** The elements of a text; headings are at `level` and below. */
export function elements(text, h, level = 2) {
  if (text.length > MAX_LENGTH) return [h("pre", { tabIndex: 0 }, text)];
  let last = level - 1;
  const draw = {
    space: () => null,
    def: () => null,
    hr: () => h("hr"),
    br: () => h("br"),
    heading(token, inner) {
      // No level is left out, whatever the author did.
      last = Math.min(Math.max(level, level + token.depth - 1), last + 1, 6);
      return h(`h${last}`, null, ...inner(token.tokens));
    },
    paragraph: (token, inner) => h("p", null, ...inner(token.tokens)),
    blockquote: (token, inner) => h("blockquote", null, ...inner(token.tokens)),
    code: (token) => h("pre", { tabIndex: 0 }, h("code", null, token.text)),
    list: (token, inner) =>
      h(
        token.ordered ? "ol" : "ul",
        token.ordered && token.start > 1 ? { start: token.start } : null,
        ...token.items.map((item) =>
          h("li", null, ...inner(item.tokens)),
        ),
      ),
    checkbox: (token) => (token.checked ? "☑ " : "☐ "),
    table: (token, inner) => table(token, inner, h),
    text: (token, inner) => (token.tokens ? inner(token.tokens) : [plain(token.text)]),
    escape: (token) => token.text,
    codespan: (token) => h("code", null, token.text),
    strong: (token, inner) => h("strong", null, ...inner(token.tokens)),
    em: (token, inner) => h("em", null, ...inner(token.tokens)),
    del: (token, inner) => h("del", null, ...inner(token.tokens)),
    link: (token, inner) => link(token.href, inner(token.tokens), h),
    // A picture would be fetched, and a call may be behind its address.
    image: (token) => link(token.href, [token.text || token.href], h),
  };
  const walk = (tokens, depth) => {
    const inner = (nested) => walk(nested ?? [], depth + 1);
    return tokens.flatMap((token) => {
      const known = depth < DEEPEST && Object.hasOwn(draw, token.type);
      return known ? draw[token.type](token, inner) : [token.raw];
    });
  };
  return walk(lexer(text), 0);
}

/** A link to another site; of any other, its text and where it would lead. */
function link(href, content, h) {
  if (/^(https?:\/\/|mailto:)/i.test(href)) {
    return h("a", { href, target: "_blank", rel: "noreferrer nofollow" }, ...content);
  }
  return [...content, ...(content.join("") === href ? [] : [` (${href})`])];
}

function table(token, inner, h) {
  const cells = (row, name) => row.map((cell) => h(name, null, ...inner(cell.tokens)));
  return h(
    "table",
    null,
    h("thead", null, h("tr", null, ...cells(token.header, "th"))),
    h("tbody", null, ...token.rows.map((row) => h("tr", null, ...cells(row, "td")))),
  );
}
