/**
 * Markdown as the tokens of marked's lexer, whatever the text is.
 *
 * Some texts would take the lexer minutes, or more stack than there is. They are recognised by what they all have: a word
 * of thousands of characters, or markers or spaces by the hundred at the beginning of a line. Such a paragraph becomes a
 * token `plain`, which is shown as it was written.
 */

import { Lexer } from "../../vendor/marked/marked.mjs";

/** A token of any kind; its type says which fields it has. @typedef {import("../../vendor/marked/marked.mjs").Tokens.Generic} Token */
/** Where the definitions of links lead, by their names. @typedef {import("../../vendor/marked/marked.mjs").Links} Links */

/** Fenced code, which the lexer takes whole, however long its lines are. */
const FENCED = /^ {0,3}(`{3,}|~{3,})[^\n]*\n[\s\S]*?(?:^ {0,3}\1[`~]*[ \t]*$|$(?![\s\S]))/gm;

/** A link or a hash is shorter; of what is longer, some texts take time by the square of their length. */
const LONG_WORD = /\S{2000}/;

/** Quotes and lists in one line, one in the other. */
const NESTED = /^(?:[ \t]*(?:[-*+>]|\d{1,9}[.)])){50}/m;

/** Lists are as deep as their lines are indented. */
const INDENTED = /^[ \t]{200}/m;

/** The end of a paragraph. */
const BLANK_LINE = /(?<=\n[ \t]*\n)/;

/**
 * The blocks of a text, with the inline tokens in them.
 * @param {string} text
 * @param {Links} [links] definitions of earlier blocks, to which those of this text are added
 * @returns {Token[]}
 */
export function lex(text, links = Object.create(null)) {
  const lexed = attempt(text, links);
  if (lexed) return lexed;
  return text.split(BLANK_LINE).flatMap((paragraph) => attempt(paragraph, links) ?? [{ type: "plain", raw: paragraph, text: paragraph.trimEnd() }]);
}

/** @param {string} text @param {Links} links @returns {Token[] | null} */
function attempt(text, links) {
  const prose = text.replace(FENCED, "");
  if ([LONG_WORD, NESTED, INDENTED].some((trap) => trap.test(prose))) return null;
  const lexer = new Lexer({ gfm: true });
  lexer.tokens.links = links;
  try {
    return [...lexer.lex(text)];
  } catch (error) {
    // Nested deeper than the stack is.
    if (error instanceof RangeError) return null;
    throw error;
  }
}
