/** Descriptions: paragraphs, and code in backticks. */

import { el } from "../console/shared/dom.js";

/**
 * The paragraphs of `text`.
 * @param {string | undefined} text
 */
export function prose(text) {
  return (text ?? "")
    .split(/\n\s*\n/)
    .filter((paragraph) => paragraph.trim())
    .map((paragraph) => el("p", {}, ...inline(paragraph)));
}

/**
 * One line of it.
 * @param {string} text
 */
export function inline(text) {
  return text.split(/`([^`]*)`/).map((part, at) => (at % 2 ? el("code", {}, part) : part));
}
