/** Values as they are written in a program. The names of values are its variables. */

import { pieces } from "./command.js";

/**
 * @typedef {object} Dialect
 * @property {(parts: string[]) => string} template a text with variables: what stands there, and names, in turn
 * @property {(name: string) => string} key of an object
 * @property {string} indent of one level
 * @property {{ true: string, false: string, null: string }} words
 */

const WIDTH = 90;

/**
 * @param {unknown} value
 * @param {Dialect} dialect
 * @param {string} [indent]
 * @returns {string}
 */
export function literal(value, dialect, indent = "") {
  if (typeof value === "string") return textLiteral(value, dialect);
  if (value === null || typeof value === "boolean") return dialect.words[/** @type {"true" | "false" | "null"} */ (`${value}`)];
  if (typeof value !== "object") return `${value}`;
  const isList = Array.isArray(value);
  const inner = indent + dialect.indent;
  /** @param {string} deeper */
  const items = (deeper) =>
    isList
      ? value.map((item) => literal(item, dialect, deeper))
      : Object.entries(value).map(([name, item]) => `${dialect.key(name)}: ${literal(item, dialect, deeper)}`);
  const [open, close] = isList ? "[]" : "{}";
  const space = isList || !Object.keys(value).length || dialect.words.null === "None" ? "" : " ";
  const short = `${open}${space}${items(indent).join(", ")}${space}${close}`;
  if (short.length + indent.length <= WIDTH && !short.includes("\n")) return short;
  return `${open}\n${items(inner).map((item) => `${inner}${item},\n`).join("")}${indent}${close}`;
}

/** @param {string} text @param {Dialect} dialect */
function textLiteral(text, dialect) {
  const parts = pieces(text);
  if (parts.length === 1) return JSON.stringify(text);
  return parts.length === 3 && !parts[0] && !parts[2] ? parts[1] : dialect.template(parts);
}
