/** A schema, as a person reads it: names, types, limits, and what is inside. */

import { el } from "../console/shared/dom.js";
import { inline } from "./prose.js";

/** @typedef {import("./document.js").Schema} Schema */
/** @typedef {import("./document.js").Resolver} Resolver */

/** How deep it goes by itself; there is no recursive type here. */
const DEPTH = 6;

/**
 * What is inside `schema`, or nothing for a plain value.
 * @param {Schema} schema
 * @param {Resolver} resolver
 * @param {number} [depth]
 * @returns {Node[]}
 */
export function schemaDetails(schema, resolver, depth = 0) {
  const found = resolver.resolve(schema);
  if (depth > DEPTH) return [];
  if (found.allOf) return found.allOf.flatMap((part) => schemaDetails(part, resolver, depth));
  const branches = alternatives(found, resolver);
  if (branches.length > 1) {
    return branches.map((branch) =>
      el(
        "div",
        { class: "branch" },
        el("p", { class: "type" }, branch.title ?? typeOf(branch, resolver)),
        ...note(branch),
        ...schemaDetails(branch, resolver, depth + 1),
      ),
    );
  }
  if (found.properties) return [properties(found, resolver, depth)];
  if (branches.length === 1) return schemaDetails(branches[0], resolver, depth);
  if (found.items) return schemaDetails(found.items, resolver, depth + 1);
  if (found.contentSchema) return schemaDetails(found.contentSchema, resolver, depth + 1);
  return [];
}

/**
 * The kinds of value that can stand there, null aside; none where it is of one kind.
 * @param {Schema} schema
 * @param {Resolver} resolver
 */
function alternatives(schema, resolver) {
  const listed = schema.properties ? [] : (schema.anyOf ?? schema.oneOf ?? []);
  return listed.map((branch) => resolver.resolve(branch)).filter((branch) => branch.type !== "null");
}

/**
 * @param {Schema} schema
 * @param {Resolver} resolver
 * @param {number} depth
 */
function properties(schema, resolver, depth) {
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const found = resolver.resolve(field);
    const isNeeded = schema.required?.includes(name);
    return [
      el("dt", {}, el("code", {}, name), isNeeded ? el("i", { class: "needed" }, "required") : null),
      el(
        "dd",
        {},
        el("p", { class: "type" }, typeOf(field, resolver), ...limits(found)),
        ...note(field.description || found.properties ? field : found),
        ...schemaDetails(field, resolver, depth + 1),
      ),
    ];
  });
  return el("dl", { class: "fields" }, ...rows);
}

/**
 * The type in a word or two.
 * @param {Schema} schema
 * @param {Resolver} resolver
 * @returns {string}
 */
export function typeOf(schema, resolver) {
  const found = resolver.resolve(schema);
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  const listed = found.properties ? [] : (found.anyOf ?? found.oneOf ?? []);
  if (listed.length) return [...new Set(listed.map((branch) => typeOf(branch, resolver)))].join(" | ");
  if (found.items) return `list of ${typeOf(found.items, resolver)}`;
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "";
  if (found.contentSchema) return "JSON text";
  if (found.format) return `${found.type} (${found.format})`;
  return [found.type ?? "any JSON"].flat().join(" | ");
}

/** @param {Schema} schema */
function limits(schema) {
  const inner = [schema, ...(schema.anyOf ?? [])];
  /** @param {keyof Schema} name */
  const value = (name) => inner.map((one) => one[name]).find((one) => one !== undefined);
  const texts = [
    range(value("minimum"), value("maximum"), ""),
    range(value("minLength"), value("maxLength"), " characters"),
    range(value("minItems"), value("maxItems"), " items"),
    schema.default !== undefined && schema.default !== null ? `default ${JSON.stringify(schema.default)}` : "",
  ].filter(Boolean);
  const pattern = value("pattern");
  return [
    ...texts.map((text) => el("span", { class: "limit" }, text)),
    pattern ? el("code", { class: "limit" }, String(pattern)) : null,
  ].filter((part) => part !== null);
}

/**
 * @param {unknown} least
 * @param {unknown} most
 * @param {string} unit
 */
function range(least, most, unit) {
  if (least === undefined && most === undefined) return "";
  if (least === undefined) return `at most ${most}${unit}`;
  return most === undefined ? `at least ${least}${unit}` : `${least} to ${most}${unit}`;
}

/** @param {Schema} schema */
function note(schema) {
  const inner = [schema, ...(schema.anyOf ?? [])].find((one) => one.description);
  return inner?.description ? [el("p", { class: "hint" }, ...inline(inner.description))] : [];
}
