/**
 * A Markdown text that grows at its end, as blocks: those that no more text can change, and the last ones, which are
 * lexed again when the text has grown.
 */

import { withoutForming } from "./forming.js";
import { lex } from "./lexing.js";

/** @typedef {import("./lexing.js").Token} Token */

/** Two lines, which could be the head of a table, or of something that looks like one. */
const BEGINNING = /\n.*\n/;

export class GrowingBlocks {
  text = "";
  /** A line end that may be the first half of one. */
  #half = "";
  /** Where the blocks begin that are not settled. */
  #start = 0;
  /** The links that settled blocks define. @type {import("./lexing.js").Links} */
  #links = Object.create(null);
  /** How many characters the lexer was given so far. */
  lexed = 0;

  /** @param {string} text */
  append(text) {
    const added = this.#half + text;
    this.#half = added.endsWith("\r") ? "\r" : "";
    // As the lexer has it, so that the lengths of its blocks are those of this text.
    this.text += added.slice(0, added.length - this.#half.length).replace(/\r\n?/g, "\n");
  }

  /**
   * The blocks that have settled since the last call, and those that may still change, as they are shown meanwhile.
   * @returns {{ settled: Token[], growing: Token[] }}
   */
  take() {
    const rest = this.text.slice(this.#start);
    const tokens = this.#lex(rest);
    const settled = tokens.slice(0, settledCount(tokens));
    const length = settled.reduce((sum, { raw }) => sum + raw.length, 0);
    this.#start += length;
    for (const { type, tag, href, title } of settled) if (type === "def") this.#links[tag] ??= { href, title };
    const growing = tokens.slice(settled.length);
    const shown = withoutForming(rest.slice(length), growing.findLast(isBlock)?.type ?? "");
    return { settled, growing: shown === rest.slice(length) ? growing : this.#lex(shown) };
  }

  /**
   * All blocks of the text, which does not grow any more. Lexed once more as a whole: what is defined at its end, such as
   * the address of a link, may belong to what is at its beginning.
   */
  finish() {
    if (this.#half) this.append("\n");
    this.#start = this.text.length;
    return this.#lex(this.text);
  }

  /** @param {string} text */
  #lex(text) {
    this.lexed += text.length;
    // A copy: what the growing blocks define is not complete.
    return lex(text, Object.assign(Object.create(null), this.#links));
  }
}

/**
 * How many tokens no further text can change: those before the last block of which enough is there. The first lines of a
 * block may still turn out to belong to the block before it.
 * @param {Token[]} tokens
 */
function settledCount(tokens) {
  const isFirm = (/** @type {Token} */ token, /** @type {number} */ at) => isBlock(token) && (BEGINNING.test(token.raw) || tokens[at + 1]?.type === "space");
  return Math.max(0, tokens.findLastIndex(isFirm));
}

/** @param {Token} token */
function isBlock({ type }) {
  return type !== "space" && type !== "def";
}
