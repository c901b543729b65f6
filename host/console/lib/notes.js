/**
 * What a person is told beside the numbers of a text.
 */
import { shortened } from "./number.js";

const DELIMITERS = { "\t": "tabs", ";": "semicolons", ",": "commas" };

/** What was made of a text that its author should know. */
export class Notes {
  delimiter = null;
  titles = [];
  comments = 0;
  comma = null;
  gaps = 0;
  firstGap = "";
  isNone = false;

  /** What `split` says of all lines. */
  lines({ comments, delimiter, isNamed }) {
    this.comments = comments;
    if (isNamed) this.delimiter = delimiter;
  }

  gap(isNone, place) {
    if (!this.gaps++) this.firstGap = place();
    this.isNone = isNone;
  }

  /** Each as half a sentence. */
  told() {
    const told = [];
    const { delimiter, titles, comments, comma, gaps, firstGap } = this;
    if (delimiter !== null)
      told.push(`the first line says that ${DELIMITERS[delimiter]} are between cells`);
    if (titles.length) {
      const what = titles.length === 1 ? "a title" : "titles";
      told.push(`the first line was taken as ${what}: ${titles.map(shortened).join(", ")}`);
    }
    if (comments === 1) told.push("1 line that begins with # was taken as a comment");
    if (comments > 1) told.push(`${comments} lines that begin with # were taken as comments`);
    if (comma !== null)
      told.push(`commas were read as decimal points, as in ${shortened(comma)}`);
    const became = this.isNone ? "none" : "NaN";
    if (gaps === 1) told.push(`1 gap became ${became}, at ${firstGap}`);
    if (gaps > 1) told.push(`${gaps} gaps became ${became}, the first at ${firstGap}`);
    return told;
  }
}
