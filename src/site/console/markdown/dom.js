/**
 * Trees as elements of the page. A text that grows changes as few nodes as it can: what is selected in it stays
 * selected, what is scrolled stays where it is, and nothing flickers.
 */

import { el } from "../shared/dom.js";

/** @typedef {import("./tree.js").Tree} Tree */

/** @param {Tree} tree @returns {Node} */
export function make(tree) {
  return typeof tree === "string" ? document.createTextNode(tree) : el(tree.tag, tree.props, ...tree.children.map(make));
}

/**
 * Changes the last nodes of `parent`, which are those of `before`, into those of `after`.
 * @param {HTMLElement} parent
 * @param {Tree[]} before
 * @param {Tree[]} after
 */
export function patch(parent, before, after) {
  const start = parent.childNodes.length - before.length;
  for (let at = 0; at < Math.min(before.length, after.length); at++) {
    change(/** @type {ChildNode} */ (parent.childNodes[start + at]), before[at], after[at]);
  }
  for (let more = before.length - after.length; more > 0; more--) parent.lastChild?.remove();
  parent.append(...after.slice(before.length).map(make));
}

/** @param {ChildNode} node @param {Tree} before @param {Tree} after */
function change(node, before, after) {
  if (typeof before === "string" && typeof after === "string" && node instanceof Text) {
    if (before === after) return;
    if (after.startsWith(before)) node.appendData(after.slice(before.length));
    else node.data = after;
    return;
  }
  // A translator may have put nodes of its own there.
  const isSame = typeof before !== "string" && typeof after !== "string" && node instanceof HTMLElement && node.childNodes.length === before.children.length;
  if (isSame && before.tag === after.tag && JSON.stringify(before.props) === JSON.stringify(after.props)) patch(node, before.children, after.children);
  else node.replaceWith(make(after));
}
