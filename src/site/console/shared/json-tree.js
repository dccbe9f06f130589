/** JSON as a tree whose parts fold. Text always becomes text, and each piece keeps its direction to itself. */

import { shorten } from "../../client/json.js";
import { el } from "./dom.js";

/** Members of one list or object that are shown. */
const MAX_MEMBERS = 100;

/** Characters of one text that are shown. */
const MAX_CHARS = 5000;

/** What lies deeper, or comes after so many members, is folded, and made when it is opened. */
const OPEN_DEPTH = 3;
const MAX_OPEN = 200;

/** @typedef {Record<string, unknown> | unknown[]} Container */

/** @param {unknown} value any JSON @returns {HTMLElement} */
export function jsonTree(value) {
  return isContainer(value) && Object.keys(value).length > 0 ? members(value, 0, { left: MAX_OPEN }) : el("p", { class: "json-leaf" }, leaf(value));
}

/** @param {Container} value @param {number} depth @param {{ left: number }} open how many members may still be shown unasked */
function members(value, depth, open) {
  const all = Object.entries(value);
  open.left -= Math.min(all.length, MAX_MEMBERS);
  const rows = all.slice(0, MAX_MEMBERS).map(([key, member]) => row(Array.isArray(value) ? "" : `${JSON.stringify(key)}: `, member, depth, open));
  const rest = all.length - rows.length;
  return el("ul", { class: "json" }, ...rows, rest > 0 && el("li", { class: "json-more" }, `and ${rest} more`));
}

/** @param {string} key @param {unknown} value @param {number} depth @param {{ left: number }} open */
function row(key, value, depth, open) {
  const name = el("span", { class: "json-key" }, key);
  if (!isContainer(value) || Object.keys(value).length === 0) return el("li", {}, name, leaf(value));
  const size = Object.keys(value).length;
  const fold = el("details", {}, el("summary", {}, name, Array.isArray(value) ? `[ ${size} ]` : `{ ${size} }`));
  const fill = () => void (fold.childElementCount === 1 && fold.append(members(value, depth + 1, open)));
  if (depth + 1 < OPEN_DEPTH && open.left >= size) {
    fold.open = true;
    fill();
  }
  fold.addEventListener("toggle", fill);
  return el("li", {}, fold);
}

/** @param {unknown} value */
function leaf(value) {
  const text = JSON.stringify(value) ?? "undefined";
  const shown = shorten(text, MAX_CHARS);
  const more = text.length > shown.length ? ` … and ${(text.length - shown.length).toLocaleString("en")} more characters` : "";
  return el("bdi", { "data-type": value === null ? "null" : typeof value }, shown, more);
}

/** @param {unknown} value @returns {value is Container} */
function isContainer(value) {
  return typeof value === "object" && value !== null;
}
