/**
 * The end of a Markdown text that still grows, as it is shown meanwhile: marks that are not complete would show as
 * characters, or as something else, until the rest of them arrives.
 */

/** A line of which only the mark is there: of a list, a heading, a fence, an underline. */
const LONE_MARK = /(?:^|\n)[ \t]*(?:>[ \t]?)*(?:[-*+_=]+|\d{1,9}[.)]?|#{1,6}|`+|~+)?[ \t]*$/;

/** The head of a table without the line below it, which makes it one. */
const TABLE_HEAD = /(?:^|\n) {0,3}\|[^\n]*(?:\n {0,3}\|?[ \t:|-]*)?$/;

/** The end of fenced code, not yet as long as its beginning. */
const HALF_FENCE = /\n {0,3}(?:`{1,2}|~{1,2})$/;

/** The mark of a line: of a list, a quote, a heading, a row of a table. */
const LINE_MARK = /^[ \t]*(?:[-*+>|]|\d{1,9}[.)]|#{1,6})(?=[ \t])/;

/** A link or a picture whose address is not complete, up to the end of the text. */
const HALF_LINK = /!?\[([^[\]\n]*)\]\([^()\n]*$/y;

const SPACE = /\s/;
const WORD = /[\p{L}\p{N}]/u;

/**
 * `text` without incomplete marks at its end, or with the marks that end it.
 * @param {string} text
 * @param {string} type of its last block
 */
export function withoutForming(text, type) {
  if (type === "code") return text.replace(HALF_FENCE, "\n");
  if (!["paragraph", "heading", "list", "blockquote", "table"].includes(type)) return text;
  const head = type === "paragraph" ? text.replace(TABLE_HEAD, "") : text;
  const shown = head.replace(LONE_MARK, "");
  const start = lastRun(shown);
  return shown.slice(0, start) + closed(shown.slice(start));
}

/** Where the last run of text begins in which marks can pair up: after a blank line, or after the mark of its line. @param {string} text */
function lastRun(text) {
  for (let end = text.length; ; ) {
    const start = text.lastIndexOf("\n", end - 1) + 1;
    const line = text.slice(start, end);
    if (line.trim() === "") return end;
    const mark = LINE_MARK.exec(line);
    if (mark || start === 0) return start + (mark?.[0].length ?? 0);
    end = start - 1;
  }
}

/** @param {string} text within which no block ends */
function closed(text) {
  /** The marks that are open, the innermost last. @type {string[]} */
  const open = [];
  const close = (/** @type {string} */ shown) => (open.length > 0 ? shown.trimEnd() : shown) + open.toReversed().join("");
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "\\") at++;
    else if (character === "`") {
      const mark = runAt(text, at);
      const end = endOfCode(text, at + mark.length, mark);
      if (end < 0) return close(text.slice(at + mark.length).trim() ? text + mark : text.slice(0, at));
      at = end;
    } else if (character === "[" || character === "!") {
      HALF_LINK.lastIndex = at;
      const link = HALF_LINK.exec(text);
      if (link) return close(text.slice(0, at) + link[1]);
    } else if ("*_~".includes(character)) {
      const mark = runAt(text, at);
      const [before, after] = [text[at - 1] ?? " ", text[at + mark.length] ?? ""];
      if (open.at(-1) === mark && !SPACE.test(before)) open.pop();
      else if (after === "") return close(text.slice(0, at));
      else if (!SPACE.test(after) && !WORD.test(before) && mark.length <= 3) open.push(mark);
      at += mark.length - 1;
    }
  }
  return close(text);
}

/** The run of one character that begins there. @param {string} text @param {number} at */
function runAt(text, at) {
  let end = at;
  while (text[end] === text[at]) end++;
  return text.slice(at, end);
}

/** The last character of the code span that ends with `mark`; -1 if none does. @param {string} text @param {number} from @param {string} mark */
function endOfCode(text, from, mark) {
  for (let at = text.indexOf("`", from); at >= 0; at = text.indexOf("`", at)) {
    const run = runAt(text, at);
    at += run.length;
    if (run === mark) return at - 1;
  }
  return -1;
}
