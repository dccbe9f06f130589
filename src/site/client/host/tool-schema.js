/**
 * The JSON Schema of a tool's arguments or results: whether clients can use it. The rules, and their reasons, are those of the
 * server's `sessions/tool_schema.py`; both are held to `tests/client/tool-definitions.json`.
 */

import { fail, isObject, isTexts, step } from "./tool-fault.js";

const TYPES = ["array", "boolean", "integer", "null", "number", "object", "string"];
const [NUMBER, TEXT, FLAG, TEXTS] = ["a number", "a string", "true or false", "a list of strings"];
const [ONE, MANY, NAMED] = ["a schema", "a list of schemas", "an object of schemas"];

/** @param {string} names @param {string} expected @returns {[string, string][]} */
const each = (names, expected) => names.split(" ").map((name) => [name, expected]);

/** Keyword -> what its value must be. */
const VALUES = new Map([
  ...each("maximum minimum exclusiveMaximum exclusiveMinimum multipleOf maxLength minLength maxItems minItems", NUMBER),
  ...each("maxProperties minProperties maxContains minContains", NUMBER),
  ...each("$schema $id $ref $anchor $dynamicRef $dynamicAnchor $comment", TEXT),
  ...each("title description format pattern contentEncoding contentMediaType", TEXT),
  ...each("uniqueItems deprecated readOnly writeOnly", FLAG),
  ...each("required", TEXTS),
  ...each("enum", "a list that is not empty"),
  ...each("type", `one of ${TYPES.join(", ")}, or a list of some of them`),
  ...each("items", "a schema, or a list of schemas"),
  ...each("dependencies", "an object of schemas or lists of strings"),
  ...each("additionalItems additionalProperties contains contentSchema propertyNames", ONE),
  ...each("else if not then unevaluatedItems unevaluatedProperties", ONE),
  ...each("allOf anyOf oneOf prefixItems", MANY),
  ...each("$defs definitions dependentSchemas patternProperties properties", NAMED),
]);

const ANCHOR = /^[A-Za-z_][A-Za-z0-9._-]*$/;
const DATA = ["const", "default", "examples"];
const IDENTIFIERS = ["$id", "$anchor", "$dynamicAnchor"];
const STOPS_COMPILER = [
  ...each("id", "left out: since draft-06 its name is $id"),
  ...each(
    "$async formatMaximum formatMinimum formatExclusiveMaximum formatExclusiveMinimum",
    "left out: it belongs to no draft of JSON Schema",
  ),
];

/**
 * `schema`, which is at `pointer` in its tool, without keywords that are null.
 * @param {Record<string, any>} schema
 * @param {string} pointer
 * @param {boolean} isCompiled clients compile it
 * @returns {Record<string, any>}
 */
export function checkedSchema(schema, pointer, isCompiled) {
  const reader = new Reader(pointer, isCompiled);
  const result = reader.readObject(schema, "");
  // A client caches compiled schemas by `$id`, and would check one tool's results against another's schema.
  if (isCompiled) delete result.$id;
  reader.checkReferences();
  return result;
}

/** Reads the schemas inside one schema. Places in it are pointers from its root. */
class Reader {
  #pointer;
  #isCompiled;
  /** @type {Set<string>} */
  #places = new Set();
  /** @type {Map<string, string>} */
  #anchors = new Map();
  /** @type {Map<string, string>} */
  #references = new Map();

  /** @param {string} pointer @param {boolean} isCompiled */
  constructor(pointer, isCompiled) {
    this.#pointer = pointer;
    this.#isCompiled = isCompiled;
  }

  /** @param {any} node @param {string} at @returns {any} */
  #read(node, at) {
    if (isObject(node)) return this.readObject(node, at);
    this.#require(typeof node === "boolean", at, "a schema: an object, or true or false");
    this.#places.add(at);
    return node;
  }

  /** @param {Record<string, any>} node @param {string} at @returns {Record<string, any>} */
  readObject(node, at) {
    this.#places.add(at);
    const known = Object.entries(node).filter(([name, value]) => value !== null || !VALUES.has(name));
    if (this.#isCompiled) this.#checkForCompiler(Object.fromEntries(known), at);
    return Object.fromEntries(known.map(([name, value]) => [name, this.#value(name, value, at)]));
  }

  checkReferences() {
    /** @type {Map<string, string>} */
    const targets = new Map();
    for (const [at, reference] of this.#references) {
      const target = this.#target(reference);
      this.#require(target !== undefined, step(at, "$ref"), "the place of a schema in this one, like #/$defs/name");
      targets.set(at, /** @type {string} */ (target));
    }
    /** @type {Set<string>} */
    const ends = new Set();
    for (const at of targets.keys()) {
      const path = new Set([at]);
      let place = targets.get(at) ?? "";
      while (targets.has(place) && !ends.has(place) && !path.has(place)) {
        path.add(place);
        place = targets.get(place) ?? "";
      }
      this.#require(!path.has(place), step(at, "$ref"), "a reference that does not lead back to itself");
      for (const each of path) ends.add(each);
    }
  }

  /** @param {string} name @param {any} value @param {string} at */
  #value(name, value, at) {
    const [expected, here] = [VALUES.get(name), step(at, name)];
    if (expected === undefined) {
      if (this.#isCompiled && !DATA.includes(name) && isObject(value)) this.#checkUnknown(value, here);
      return value;
    }
    if (expected === ONE) return this.#read(value, here);
    if (expected === MANY || (name === "items" && Array.isArray(value))) {
      this.#require(Array.isArray(value), here, expected);
      return value.map((/** @type {any} */ one, /** @type {number} */ index) => this.#read(one, step(here, index)));
    }
    if (expected === NAMED || name === "dependencies") {
      this.#require(isObject(value), here, expected);
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.#named(name, one, step(here, key), key)]));
    }
    if (name === "items") return this.#read(value, here);
    this.#require(isValid(name, expected, value), here, expected);
    if (name === "$ref") {
      this.#references.set(at, value);
    } else if (name === "$anchor" || name === "$dynamicAnchor") {
      this.#require(ANCHOR.test(value), here, "a name of letters, digits and . _ -");
      this.#anchors.set(value, at);
    } else if (name === "pattern") {
      this.#checkPattern(value, here);
    }
    return value;
  }

  /** @param {string} keyword @param {any} value @param {string} here @param {string} key */
  #named(keyword, value, here, key) {
    const isSafe = key !== "__proto__" || !this.#isCompiled;
    this.#require(isSafe, here, "called something else: JavaScript has another use for this name");
    if (keyword === "patternProperties") this.#checkPattern(key, here);
    if (keyword !== "dependencies" || !Array.isArray(value)) return this.#read(value, here);
    this.#require(isTexts(value), here, TEXTS);
    return value;
  }

  /** @param {string} text @param {string} here */
  #checkPattern(text, here) {
    if (!this.#isCompiled) return;
    this.#require(isPattern(text), here, "a regular expression for JavaScript, with its flag u");
  }

  /** Refuses what is harmless in JSON Schema and stops the compiler of a client. @param {Record<string, any>} node @param {string} at */
  #checkForCompiler(node, at) {
    for (const [name, expected] of STOPS_COMPILER) this.#require(!Object.hasOwn(node, name), step(at, name), expected);
    this.#checkUnnamed(node, at);
    if (!Object.hasOwn(node, "nullable")) return;
    const isPlain = node.nullable === true || (node.nullable === false && ![node.type].flat().includes("null"));
    this.#require(isPlain && node.type !== undefined, step(at, "nullable"), "true, or false, as its type says");
  }

  /** Refuses names of schemas, but that of the root. @param {Record<string, any>} node @param {string} at */
  #checkUnnamed(node, at) {
    for (const name of IDENTIFIERS) {
      const isFree = !Object.hasOwn(node, name) || (name === "$id" && at === "");
      this.#require(isFree, step(at, name), "left out: refer to a schema by its place, like #/$defs/name");
    }
  }

  /** The same in a keyword of the author's own. @param {Record<string, any>} value @param {string} at */
  #checkUnknown(value, at) {
    this.#checkUnnamed(value, at);
    for (const [name, below] of Object.entries(value)) if (isObject(below)) this.#checkUnknown(below, step(at, name));
  }

  /** @param {string} reference */
  #target(reference) {
    if (!reference.startsWith("#")) return undefined;
    let fragment;
    try {
      fragment = decodeURIComponent(reference.slice(1));
    } catch {
      return undefined;
    }
    if (fragment !== "" && !fragment.startsWith("/")) return this.#anchors.get(fragment);
    return this.#places.has(fragment) ? fragment : undefined;
  }

  /** @param {boolean} holds @param {string} at @param {string} expected */
  #require(holds, at, expected) {
    if (!holds) fail(this.#pointer + at, expected);
  }
}

/** @param {string} name @param {string} expected @param {any} value */
function isValid(name, expected, value) {
  if (name === "type") {
    const types = Array.isArray(value) ? value : [value];
    return types.length > 0 && types.every((type) => TYPES.includes(type));
  }
  if (name === "enum") return Array.isArray(value) && value.length > 0;
  if (expected === TEXTS) return isTexts(value);
  return typeof value === (expected === NUMBER ? "number" : expected === FLAG ? "boolean" : "string");
}

/** @param {string} text */
function isPattern(text) {
  try {
    return new RegExp(text, "u") instanceof RegExp;
  } catch {
    return false;
  }
}
