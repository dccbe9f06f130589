/** Fields for single values: text of every format, numbers, ticks, choices, lists of words; and JSON for all else. */

import { el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";
import { labelled } from "./field.js";

/** @typedef {import("./field.js").Field} Field */
/** @typedef {import("./field.js").Schema} Schema */
/** @typedef {import("./field.js").Wanted} Wanted */

/** The browser's own fields, by a string's format. A date with a time is kept as typed in a field of its own. @type {Record<string, string>} */
const INPUTS = { date: "date", time: "time", email: "email", uri: "url", url: "url", password: "password" };

/** Longer text gets more than a line. */
const ONE_LINE = 200;

/** @param {Wanted} wanted @returns {Field} */
export function textField(wanted) {
  const { schema, isRequired } = wanted;
  const type = INPUTS[schema.format];
  if (schema.format === "date-time") return momentField(wanted);
  const isLong = type === undefined && (schema.maxLength === undefined || schema.maxLength > ONE_LINE);
  const properties = {
    required: isRequired,
    minlength: schema.minLength,
    maxlength: schema.maxLength,
    placeholder: schema.examples?.[0],
    autocomplete: "off",
  };
  const input = isLong ? el("textarea", { ...properties, rows: 2 }) : el("input", { ...properties, type });
  if (typeof schema.default === "string") input.value = schema.default;
  const read = () => (input.value === "" && !isRequired ? undefined : input.value);
  return { element: labelled(wanted, input, { type: type && schema.format }), read };
}

/** A date with a time, which is meant in this browser's time zone. @param {Wanted} wanted @returns {Field} */
function momentField(wanted) {
  const input = el("input", { type: "datetime-local", step: 1, required: wanted.isRequired });
  const read = () => (input.value === "" ? undefined : new Date(input.value).toISOString());
  return { element: labelled(wanted, input, { type: "date and time" }), read };
}

/** @param {Wanted} wanted @returns {Field} */
export function numberField(wanted) {
  const { schema, isRequired } = wanted;
  const step = schema.multipleOf ?? (schema.type === "integer" ? 1 : "any");
  const { minimum: min, maximum: max } = schema;
  const input = el("input", { type: "number", step, min, max, required: isRequired, placeholder: schema.examples?.[0] });
  if (typeof schema.default === "number") input.value = `${schema.default}`;
  const read = () => (input.value === "" ? undefined : input.valueAsNumber);
  return { element: labelled(wanted, input), read };
}

/** @param {Wanted} wanted @returns {Field} */
export function booleanField(wanted) {
  const { schema, isRequired } = wanted;
  const input = el("input", { type: "checkbox" });
  input.checked = schema.default === true;
  const isSaid = isRequired || schema.default !== undefined;
  const read = () => (input.checked || isSaid ? input.checked : undefined);
  return { element: labelled(wanted, input, { kind: "check" }), read };
}

/**
 * @param {Wanted} wanted
 * @param {unknown[]} values
 * @param {unknown[]} [names] what each is called
 * @returns {Field}
 */
export function choiceField(wanted, values, names = values) {
  const { schema, isRequired } = wanted;
  const options = values.map((value, at) => {
    const name = names[at];
    return el("option", { value: at, selected: value === schema.default }, plain(typeof name === "string" ? name : JSON.stringify(name)));
  });
  const select = el("select", { required: isRequired });
  if (!isRequired || schema.default === undefined) options.unshift(el("option", { value: "" }, isRequired ? "Choose one" : "(none)"));
  select.append(...options);
  const read = () => (select.value === "" ? undefined : values[Number(select.value)]);
  return { element: labelled(wanted, select, { type: "" }), read };
}

/** A list of words, one on each line. @param {Wanted} wanted @returns {Field} */
export function linesField(wanted) {
  const { schema, isRequired } = wanted;
  const input = el("textarea", { rows: 2, required: isRequired, autocomplete: "off", placeholder: "One on each line" });
  if (Array.isArray(schema.default)) input.value = schema.default.join("\n");
  const lines = () => input.value.split("\n").filter((line) => line.trim() !== "");
  input.addEventListener("input", () => input.setCustomValidity(countFault(lines().length, schema)));
  const read = () => (lines().length === 0 && !isRequired ? undefined : lines());
  return { element: labelled(wanted, input, { type: "list of words" }), read };
}

/** @param {number} count @param {Schema} schema */
function countFault(count, { minItems = 0, maxItems = Infinity }) {
  if (count > maxItems) return `At most ${maxItems} lines.`;
  return count > 0 && count < minItems ? `At least ${minItems} lines.` : "";
}

/** @param {Wanted} wanted @returns {Field} */
export function jsonField(wanted) {
  const { schema, isRequired } = wanted;
  const placeholder = { array: "[ ]", object: "{ }" }[/** @type {string} */ (schema.type)] ?? "JSON";
  const input = el("textarea", { rows: 2, required: isRequired, placeholder, spellcheck: "false", class: "json" });
  if (schema.default !== undefined) input.value = JSON.stringify(schema.default);
  const check = () => input.setCustomValidity(input.value.trim() === "" ? "" : jsonFault(input.value, schema.type));
  input.addEventListener("input", check);
  const read = () => (input.value.trim() === "" ? undefined : JSON.parse(input.value));
  return { element: labelled(wanted, input, { kind: "json" }), read };
}

/** What is wrong with `text`, or nothing. @param {string} text @param {unknown} type */
export function jsonFault(text, type) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return "This is not JSON.";
  }
  if (type === "array" && !Array.isArray(value)) return "This must be a JSON list: [ … ]";
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return type === "object" && !isObject ? "This must be a JSON object: { … }" : "";
}
