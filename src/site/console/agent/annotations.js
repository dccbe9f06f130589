/** A tool's hints about itself, as badges. They are the tool's own claims. */

import { el } from "../shared/dom.js";

/** @typedef {import("../../waypost.js").ToolDefinition} ToolDefinition */

/** @param {ToolDefinition["annotations"]} annotations */
export function annotationBadges(annotations) {
  return hints(annotations).map(([text, kind, meaning]) => el("i", { class: "badge", "data-kind": kind, title: meaning }, text));
}

/**
 * @param {ToolDefinition["annotations"]} annotations
 * @returns {[text: string, kind: "good" | "bad" | "plain", meaning: string][]}
 */
function hints({ readOnlyHint, destructiveHint, openWorldHint } = {}) {
  if (readOnlyHint === true) return [["read-only", "good", "It says that it changes nothing"]];
  return [
    ...(destructiveHint === true ? [/** @type {const} */ (["destructive", "bad", "It says that it may delete or overwrite something"])] : []),
    ...(openWorldHint === true ? [/** @type {const} */ (["reaches out", "plain", "It says that it deals with other systems"])] : []),
  ].map((hint) => [...hint]);
}
