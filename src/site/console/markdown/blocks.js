/** The blocks of a Markdown text as trees. */

import { inlineTrees } from "./inline.js";
import { branch } from "./tree.js";

/** @typedef {import("./lexing.js").Token} Token */
/** @typedef {import("./tree.js").Tree} Tree */

/** Deeper blocks are shown as they were written. */
const MAX_DEPTH = 20;

/** The level of the heading that a message stands below. */
const LEVEL_ABOVE = 2;

export class Blocks {
  /** The level of the heading before: the next one is one below it at most, so that no level is left out. */
  #level;

  /** @param {number} [level] */
  constructor(level = LEVEL_ABOVE) {
    this.#level = level;
  }

  /** Goes on behind the same heading, and leaves this one where it is. */
  copy() {
    return new Blocks(this.#level);
  }

  /** @param {Token[]} [tokens] @param {number} [depth] @returns {Tree[]} */
  trees(tokens = [], depth = 0) {
    return tokens.flatMap((token) => this.#tree(token, depth));
  }

  /** @param {Token} token @param {number} depth @returns {Tree | Tree[]} */
  #tree(token, depth) {
    const { type, raw } = token;
    if (type === "space" || type === "def") return [];
    if (depth > MAX_DEPTH) return paragraph(depth, raw.trim());
    if (type === "paragraph") return paragraph(depth, ...inlineTrees(token.tokens));
    if (type === "heading") return this.#heading(token);
    if (type === "code") return code(token);
    if (type === "list") return this.#list(token, depth);
    if (type === "blockquote") return branch("blockquote", { dir: "auto" }, ...this.trees(token.tokens, depth + 1));
    if (type === "table") return table(token);
    if (type === "hr") return branch("hr");
    // In an item of a list; elsewhere it is HTML, or what the lexer was not given.
    if (type === "text") return inlineTrees(token.tokens ?? [token]);
    return type === "checkbox" ? inlineTrees([token]) : paragraph(depth, raw.trimEnd());
  }

  /** @param {Token} token */
  #heading({ depth, tokens }) {
    this.#level = Math.min(6, LEVEL_ABOVE + depth, this.#level + 1);
    const tag = /** @type {"h3"} */ (`h${this.#level}`);
    return branch(tag, { dir: "auto", "data-depth": Math.min(depth, 4) }, ...inlineTrees(tokens));
  }

  /** @param {Token} token @param {number} depth */
  #list({ ordered, start, items }, depth) {
    /** @param {Token} item */
    const item = ({ task, tokens }) => branch("li", { dir: "auto", class: task ? "task" : undefined }, ...this.trees(tokens, depth + 1));
    return branch(ordered ? "ol" : "ul", { start: ordered && start !== 1 ? start : undefined }, ...items.map(item));
  }
}

/** Within an item or a quote, the direction is that of its first letter. @param {number} depth @param {...Tree} children */
function paragraph(depth, ...children) {
  return branch("p", { dir: depth === 0 ? "auto" : undefined }, ...children);
}

/** A button copies it: see markdown-text.js. @param {Token} token */
function code({ lang = "", text }) {
  const name = lang.trim().split(/\s/)[0].slice(0, 30);
  const head = branch("div", { class: "code-head" }, branch("span", {}, name), branch("button", { type: "button", class: "quiet copy-code" }, "Copy"));
  const label = name ? `Code, ${name}` : "Code";
  return branch("div", { class: "code-block" }, head, branch("pre", { tabindex: 0, role: "group", dir: "ltr", "aria-label": label }, branch("code", {}, text)));
}

/** @param {Token} token */
function table({ header, rows }) {
  /** @typedef {{ tokens: Token[], align: string | null }} Cell */
  const cell = (/** @type {Cell} */ { tokens, align }) => branch("td", { "data-align": align ?? undefined }, ...inlineTrees(tokens));
  const name = (/** @type {Cell} */ { tokens, align }) => branch("th", { scope: "col", "data-align": align ?? undefined }, ...inlineTrees(tokens));
  const head = branch("thead", {}, branch("tr", {}, ...header.map(name)));
  const body = rows.map((/** @type {Cell[]} */ cells) => branch("tr", {}, ...cells.map(cell)));
  return branch("div", { class: "table-scroll", tabindex: 0, role: "group", "aria-label": "Table" }, branch("table", { dir: "auto" }, head, branch("tbody", {}, ...body)));
}
