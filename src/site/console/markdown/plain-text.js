/** A Markdown text without its marks, on one line. */

import { lex } from "./lexing.js";

/** @typedef {import("./lexing.js").Token} Token */

/** @param {string} markdown */
export function plainText(markdown) {
  return lex(markdown).map(wordsOf).join(" ").replace(/\s+/g, " ").trim();
}

/** @param {Token} token @returns {string} */
function wordsOf(token) {
  const { type, raw, text = raw, tokens, items, header, rows } = token;
  if (["space", "def", "hr", "br", "checkbox"].includes(type)) return " ";
  if (items) return items.map(wordsOf).join(" ");
  if (type === "table") return [header, ...rows].flat().map(wordsOf).join(" ");
  if (type === "html") return raw;
  return tokens ? tokens.map(wordsOf).join(type === "list_item" ? " " : "") : text;
}
