/** What all fields of a form share: a label with the name and type, and help below. */

import { el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

/** @typedef {Record<string, any>} Schema */
/** A field reads as undefined when it is left out. @typedef {{ element: HTMLElement, read: () => unknown }} Field */
/** @typedef {{ name: string, schema: Schema, isRequired: boolean }} Wanted */

let fieldCount = 0;

/**
 * @param {Wanted} wanted
 * @param {HTMLElement} input
 * @param {{ kind?: string, type?: string }} [more] `type`: shown instead of the schema's
 */
export function labelled({ name, schema, isRequired }, input, { kind = "", type = typeOf(schema) } = {}) {
  const id = `field-${++fieldCount}`;
  input.id = id;
  const label = el(
    "label",
    { for: id },
    el("span", {}, plain(name)),
    isRequired && kind !== "check" && el("i", { class: "required" }, "required"),
    type && el("i", { class: "type" }, plain(type)),
  );
  const help = helpOf(schema, id);
  if (help) input.setAttribute("aria-describedby", help.id);
  const parts = kind === "check" ? [input, label] : [label, input];
  return el("div", { class: `field ${kind}` }, ...parts, help);
}

/** @param {Schema} schema @param {string} id of what it explains */
export function helpOf({ description }, id) {
  return description ? el("p", { class: "hint", id: `${id}-help` }, plain(`${description}`)) : null;
}

/** @param {Schema} schema */
function typeOf(schema) {
  return Array.isArray(schema.enum) ? "" : [schema.type ?? "any"].flat().join(" or ");
}
