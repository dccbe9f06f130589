/** What stands for the elements of a page until they are made: so that two versions of a text can be compared. */

/** @typedef {{ tag: keyof HTMLElementTagNameMap, props: Record<string, string | number | boolean | undefined>, children: Tree[] }} Branch */
/** An element, or a text. @typedef {Branch | string} Tree */

/**
 * @param {keyof HTMLElementTagNameMap} tag
 * @param {Branch["props"]} [props] attributes
 * @param {...Tree} children
 * @returns {Branch}
 */
export function branch(tag, props = {}, ...children) {
  return { tag, props, children };
}

/** The text in it. @param {Tree} tree @returns {string} */
export function textOf(tree) {
  return typeof tree === "string" ? tree : tree.children.map(textOf).join("");
}
