/** A form made from a tool's JSON Schema; what has no widget of its own is written as JSON, and so can be all of it. */

import { el } from "../shared/dom.js";
import { plain } from "../shared/plain.js";
import { booleanField, choiceField, jsonFault, jsonField, linesField, numberField, textField } from "./simple-fields.js";

/** @typedef {import("./field.js").Field} Field */
/** @typedef {import("./field.js").Schema} Schema */
/** @typedef {import("./field.js").Wanted} Wanted */
/** `read` is for valid forms: the browser checks them first. @typedef {{ elements: HTMLElement[], read: () => Record<string, unknown> }} Fields */

/** Objects in objects that get fields of their own; deeper ones are written as JSON. */
const MAX_DEPTH = 3;

/** Fields for the arguments that `schema` describes. @param {Schema | undefined} schema @returns {Fields} */
export function argumentFields(schema) {
  const properties = schema?.properties;
  if (!isObject(properties)) {
    const isClosed = schema?.additionalProperties === false;
    if (isClosed) return { elements: [], read: () => ({}) };
    const whole = jsonField({ name: "Arguments", schema: { type: "object", default: {} }, isRequired: true });
    return { elements: [whole.element], read: () => /** @type {Record<string, unknown>} */ (whole.read()) };
  }
  return Object.keys(properties).length === 0 ? members(schema ?? {}, 0) : switchable(members(schema ?? {}, 0));
}

/** The fields, or all arguments as JSON, as the person likes. @param {Fields} fields @returns {Fields} */
function switchable(fields) {
  const text = el("textarea", { rows: 6, spellcheck: "false", class: "json", required: true });
  text.addEventListener("input", () => text.setCustomValidity(jsonFault(text.value, "object")));
  const whole = el("div", { class: "field json" }, el("label", {}, "Arguments as JSON", text));
  // Disabled, a set of fields is not checked.
  const set = el("fieldset", { class: "fields" }, ...fields.elements);
  const button = el("button", { type: "button", class: "link as-json", "aria-pressed": "false" }, "As JSON");
  let isJson = false;
  button.addEventListener("click", () => {
    isJson = !isJson;
    if (isJson) text.value = JSON.stringify(fields.read(), null, 2);
    set.disabled = set.hidden = isJson;
    text.disabled = whole.hidden = !isJson;
    text.setCustomValidity("");
    button.setAttribute("aria-pressed", `${isJson}`);
    button.textContent = isJson ? "As a form" : "As JSON";
  });
  text.disabled = whole.hidden = true;
  return { elements: [set, whole, button], read: () => (isJson ? JSON.parse(text.value) : fields.read()) };
}

/** A field for each property of an object. @param {Schema} schema @param {number} depth @returns {Fields} */
function members(schema, depth) {
  const required = new Set(Array.isArray(schema.required) ? schema.required : []);
  const fields = Object.entries(schema.properties).map(([name, property]) => {
    return { name, ...field({ name, schema: isObject(property) ? property : {}, isRequired: required.has(name) }, depth) };
  });
  return {
    elements: fields.map(({ element }) => element),
    // fromEntries defines properties: a field that is called __proto__ is just a field.
    read: () => Object.fromEntries(fields.map(({ name, read }) => [name, read()]).filter(([, value]) => value !== undefined)),
  };
}

/** @param {Wanted} wanted @param {number} depth @returns {Field} */
function field(wanted, depth) {
  const { schema } = wanted;
  const { type, items } = schema;
  if (Array.isArray(schema.enum)) return choiceField(wanted, schema.enum);
  if ("const" in schema) return choiceField(wanted, [schema.const]);
  const named = schema.oneOf ?? schema.anyOf;
  if (Array.isArray(named) && named.length > 0 && named.every((one) => isObject(one) && "const" in one)) {
    return choiceField(wanted, named.map((one) => one.const), named.map((one) => one.title ?? one.const));
  }
  if (Array.isArray(type) && type.length === 2 && type.includes("null")) return nullableField(wanted, depth);
  if (type === "boolean") return booleanField(wanted);
  if (type === "integer" || type === "number") return numberField(wanted);
  if (type === "string") return textField(wanted);
  if (type === "array" && items?.type === "string" && items.enum === undefined) return linesField(wanted);
  if (type === "object" && isObject(schema.properties) && depth < MAX_DEPTH) return objectField(wanted, depth);
  return jsonField(wanted);
}

/** An object within the arguments: a set of fields, which takes part once it is ticked or if it must. @param {Wanted} wanted @param {number} depth @returns {Field} */
function objectField({ name, schema, isRequired }, depth) {
  const { elements, read } = members(schema, depth + 1);
  const set = el("fieldset", { class: "fields nested" }, ...elements);
  const box = el("input", { type: "checkbox", "aria-label": `Include ${plain(name)}` });
  box.checked = isRequired || isObject(schema.default);
  const look = () => (set.disabled = set.hidden = !box.checked);
  box.addEventListener("change", look);
  look();
  const help = schema.description && el("p", { class: "hint" }, plain(`${schema.description}`));
  const title = el("legend", {}, isRequired ? null : box, el("span", {}, plain(name)), isRequired && el("i", { class: "required" }, "required"));
  return { element: el("fieldset", { class: "group" }, title, help, set), read: () => (box.checked ? read() : undefined) };
}

/** A value, or null: with a tick for null. @param {Wanted} wanted @param {number} depth @returns {Field} */
function nullableField(wanted, depth) {
  const type = wanted.schema.type.find((/** @type {unknown} */ one) => one !== "null");
  const { element, read } = field({ ...wanted, schema: { ...wanted.schema, type } }, depth);
  const set = el("fieldset", { class: "fields" }, element);
  const box = el("input", { type: "checkbox", "aria-label": `${plain(wanted.name)} is null` });
  box.checked = wanted.schema.default === null;
  const look = () => (set.disabled = box.checked);
  box.addEventListener("change", look);
  look();
  return { element: el("div", { class: "nullable" }, set, el("label", {}, box, " null")), read: () => (box.checked ? null : read()) };
}

/** @param {unknown} value @returns {value is Record<string, any>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
