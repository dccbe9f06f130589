/** The inline tokens of a Markdown text as trees. HTML is text here, and pictures are links: nothing is loaded. */

import { linkTo, safeUrl } from "./links.js";
import { branch } from "./tree.js";

/** @typedef {import("./lexing.js").Token} Token */
/** @typedef {import("./tree.js").Tree} Tree */

/** What a table cell has for a new line. */
const LINE_BREAK = /^<br\s*\/?>$/i;

/** Characters by their names, those that models use; the lexer knows them by number. Others stay as they were written. */
const NAMED = new Map(
  Object.entries({ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", mdash: "—", ndash: "–", hellip: "…" }).concat(
    Object.entries({ times: "×", deg: "°", le: "≤", ge: "≥", ne: "≠", larr: "←", rarr: "→", copy: "©" }),
  ),
);

/** Deeper marks are shown as they were written. */
const MAX_DEPTH = 20;

/** @type {Record<string, "strong" | "em" | "del">} */
const MARKS = { strong: "strong", em: "em", del: "del" };

/** @param {Token[] | undefined} tokens @param {number} [depth] @returns {Tree[]} */
export function inlineTrees(tokens = [], depth = 0) {
  return tokens.flatMap((token) => inlineTree(token, depth));
}

/** @param {Token} token @param {number} depth @returns {Tree | Tree[]} */
function inlineTree(token, depth) {
  const { type, raw, text = raw } = token;
  if (depth > MAX_DEPTH) return raw;
  if (type in MARKS) return branch(MARKS[type], {}, ...inlineTrees(token.tokens, depth + 1));
  if (type === "codespan") return branch("code", { dir: "ltr" }, text);
  // Line ends stay in the text, and show.
  if (type === "br" || (type === "html" && LINE_BREAK.test(raw))) return "\n";
  if (type === "link") return link(token, depth);
  if (type === "image") return picture(token);
  if (type === "checkbox") return branch("input", { type: "checkbox", disabled: true, checked: token.checked, "aria-label": token.checked ? "Done" : "To do" });
  if (type === "text" && token.tokens) return inlineTrees(token.tokens, depth + 1);
  return type === "text" ? words(text) : type === "escape" ? text : raw;
}

/** @param {string} text */
function words(text) {
  return text.replace(/\n[ \t]+/g, "\n").replace(/&(\w{2,6});/g, (written, name) => NAMED.get(name) ?? written);
}

/** @param {Token} token @param {number} depth @returns {Tree} */
function link({ href, raw, tokens }, depth) {
  const url = safeUrl(href);
  if (!url) return raw;
  // A picture in a link, such as a badge, is no link of its own.
  const children = inlineTrees(tokens, depth + 1).flatMap((child) => (typeof child !== "string" && child.tag === "a" ? child.children[0] : child));
  return linkTo(url, children);
}

/** A link to a picture: its address alone could take what was said here to another server. @param {Token} token @returns {Tree} */
function picture({ href, raw, text }) {
  const url = safeUrl(href);
  return url ? linkTo(url, [text ? `Picture: ${text}` : "Picture"], true) : raw;
}
