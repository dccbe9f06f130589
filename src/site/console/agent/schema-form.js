/** A form made from a tool's JSON Schema; what has no widget of its own is written as JSON. */

import { el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";

/** @typedef {Record<string, any>} Schema */
/** A field reads as undefined when it is left out. @typedef {{ element: HTMLElement, read: () => unknown }} Field */

let fieldCount = 0;

/**
 * Fields for the arguments that `schema` describes. `read` is for valid forms: the browser checks them first.
 * @param {Schema | undefined} schema
 * @returns {{ elements: HTMLElement[], read: () => Record<string, unknown> }}
 */
export function argumentFields(schema) {
  const properties = schema?.properties;
  if (!properties || typeof properties !== "object") {
    const isClosed = schema?.additionalProperties === false;
    if (isClosed) return { elements: [], read: () => ({}) };
    const whole = jsonField("Arguments", { type: "object", default: {} }, true);
    return { elements: [whole.element], read: () => /** @type {Record<string, unknown>} */ (whole.read()) };
  }
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const fields = Object.entries(properties).map(([name, property]) => {
    const known = property && typeof property === "object" ? property : {};
    return { name, ...field(name, known, required.has(name)) };
  });
  return {
    elements: fields.map(({ element }) => element),
    // fromEntries defines properties: a field that is called __proto__ is just a field.
    read: () => Object.fromEntries(fields.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined)),
  };
}

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @returns {Field}
 */
function field(name, schema, isRequired) {
  if (Array.isArray(schema.enum)) return enumField(name, schema, isRequired);
  if (schema.type === "boolean") return booleanField(name, schema, isRequired);
  if (schema.type === "integer" || schema.type === "number") return numberField(name, schema, isRequired);
  if (schema.type === "string") return textField(name, schema, isRequired);
  return jsonField(name, schema, isRequired);
}

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @returns {Field}
 */
function textField(name, schema, isRequired) {
  const isLong = schema.maxLength === undefined || schema.maxLength > 200;
  const properties = {
    required: isRequired,
    minlength: schema.minLength,
    maxlength: schema.maxLength,
    placeholder: schema.examples?.[0],
    autocomplete: "off",
  };
  const input = isLong ? el("textarea", { ...properties, rows: 2 }) : el("input", properties);
  if (typeof schema.default === "string") input.value = schema.default;
  const read = () => (input.value === "" && !isRequired ? undefined : input.value);
  return { element: labelled(name, schema, isRequired, input), read };
}

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @returns {Field}
 */
function numberField(name, schema, isRequired) {
  const step = schema.multipleOf ?? (schema.type === "integer" ? 1 : "any");
  const { minimum: min, maximum: max } = schema;
  const input = el("input", { type: "number", step, min, max, required: isRequired, placeholder: schema.examples?.[0] });
  if (typeof schema.default === "number") input.value = `${schema.default}`;
  const read = () => (input.value === "" ? undefined : input.valueAsNumber);
  return { element: labelled(name, schema, isRequired, input), read };
}

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @returns {Field}
 */
function booleanField(name, schema, isRequired) {
  const input = el("input", { type: "checkbox" });
  input.checked = schema.default === true;
  const isSaid = isRequired || schema.default !== undefined;
  const read = () => (input.checked || isSaid ? input.checked : undefined);
  return { element: labelled(name, schema, false, input, "check"), read };
}

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @returns {Field}
 */
function enumField(name, schema, isRequired) {
  const options = schema.enum.map((/** @type {unknown} */ value, /** @type {number} */ at) =>
    el("option", { value: at, selected: value === schema.default }, plain(typeof value === "string" ? value : JSON.stringify(value))),
  );
  const select = el("select", { required: isRequired });
  if (!isRequired || schema.default === undefined) options.unshift(el("option", { value: "" }, isRequired ? "Choose one" : "(none)"));
  select.append(...options);
  const read = () => (select.value === "" ? undefined : schema.enum[Number(select.value)]);
  return { element: labelled(name, schema, isRequired, select), read };
}

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @returns {Field}
 */
function jsonField(name, schema, isRequired) {
  const placeholder = { array: "[ ]", object: "{ }" }[/** @type {string} */ (schema.type)] ?? "JSON";
  const input = el("textarea", { rows: 2, required: isRequired, placeholder, spellcheck: "false", class: "json" });
  if (schema.default !== undefined) input.value = JSON.stringify(schema.default);
  const check = () => input.setCustomValidity(input.value.trim() === "" ? "" : jsonFault(input.value, schema.type));
  input.addEventListener("input", check);
  const read = () => (input.value.trim() === "" ? undefined : JSON.parse(input.value));
  return { element: labelled(name, schema, isRequired, input, "json"), read };
}

/**
 * What is wrong with `text`, or nothing.
 * @param {string} text
 * @param {unknown} type
 */
function jsonFault(text, type) {
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

/**
 * @param {string} name
 * @param {Schema} schema
 * @param {boolean} isRequired
 * @param {HTMLElement} input
 * @param {string} [kind]
 */
function labelled(name, schema, isRequired, input, kind = "") {
  const id = `field-${++fieldCount}`;
  input.id = id;
  const type = Array.isArray(schema.enum) ? "" : [schema.type ?? "any"].flat().join(" or ");
  const label = el(
    "label",
    { for: id },
    el("span", {}, plain(name)),
    isRequired && el("i", { class: "required" }, "required"),
    type && el("i", { class: "type" }, plain(type)),
  );
  const help = schema.description ? el("p", { class: "hint", id: `${id}-help` }, plain(`${schema.description}`)) : null;
  if (help) input.setAttribute("aria-describedby", help.id);
  const parts = kind === "check" ? [input, label] : [label, input];
  return el("div", { class: `field ${kind}` }, ...parts, help);
}
