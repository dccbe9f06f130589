/** A value on the page, shown as what it is: text, a picture, a link, or JSON that folds. */

import { el } from "./dom.js";
import { pretty } from "./format.js";
import { jsonTree } from "./json-tree.js";
import { resultParts } from "./result-parts.js";

/** @param {unknown} value @param {string} label its name for a screen reader */
export function valueView(value, label) {
  return el("div", { class: "value", role: "group", tabindex: 0, "aria-label": label }, ...resultParts(value).map(partView));
}

/** @param {import("./result-parts.js").ResultPart} part @returns {HTMLElement} */
function partView(part) {
  if (part.kind === "text") return el("pre", {}, pretty(part.text));
  if (part.kind === "picture") return picture(part.type, part.data);
  if (part.kind === "link") return el("p", {}, `${part.name}: `, el("code", {}, part.uri));
  const tree = jsonTree(part.value);
  return part.title ? el("div", {}, el("p", { class: "hint" }, part.title), tree) : tree;
}

/** @param {string} type @param {string} data base64 */
function picture(type, data) {
  const address = pictureAddress(type, data);
  if (address === null) return el("p", { class: "hint" }, "A picture that can’t be read.");
  const image = el("img", { src: address, alt: "Picture in the result", decoding: "async" });
  // The bytes are freed once they are drawn.
  for (const end of ["load", "error"]) image.addEventListener(end, () => URL.revokeObjectURL(address), { once: true });
  return image;
}

/** @param {string} type @param {string} data @returns {string | null} */
function pictureAddress(type, data) {
  try {
    return URL.createObjectURL(new Blob([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))], { type }));
  } catch {
    // Not base64.
    return null;
  }
}
