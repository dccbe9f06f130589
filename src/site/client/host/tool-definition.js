/**
 * A tool's definition, as every client of MCP can read it. A client checks a whole list: one tool with `title: null` takes away all
 * others. So what is plain is normalised, and what is not is refused with the tool and the place. The server has the same rules, in
 * `sessions/tool_definitions.py`; both are held to `tests/client/tool-definitions.json`.
 */

import { WaypostError } from "../errors.js";
import { isToolName } from "../grammar.js";
import { wellFormed, wellFormedJson } from "../well-formed.js";
import { fail, isObject, isTexts, step, ToolFault } from "./tool-fault.js";
import { checkedSchema } from "./tool-schema.js";

/** @typedef {import("./tool-registry.js").ToolDefinition} ToolDefinition */

const FIELDS = ["title", "description", "inputSchema", "outputSchema", "annotations", "execution", "icons", "_meta"];
const HINTS = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
const TASK_SUPPORT = ["required", "optional", "forbidden"];
const THEMES = ["light", "dark"];

/**
 * A normalised copy of `definition`, as JSON. What JSON leaves out (undefined, functions) is left out; half a surrogate pair becomes
 * U+FFFD.
 * @param {ToolDefinition} definition
 * @returns {ToolDefinition} throws `WaypostError` with the code `invalid_tool`, whose message names the tool and the place
 */
export function checkedDefinition(definition) {
  try {
    return checked(asJson(definition));
  } catch (error) {
    const name = isObject(definition) ? definition.name : undefined;
    const which = typeof name === "string" ? `The tool "${wellFormed(shortened(name))}"` : "A tool";
    const why = error instanceof ToolFault ? `${error.pointer} ${error.reason}.` : `its definition is not JSON. ${error}`;
    throw new WaypostError("invalid_tool", `${which}: ${why.trim()}`, { cause: error });
  }
}

/** @param {unknown} definition */
function asJson(definition) {
  const text = JSON.stringify(definition);
  const value = text === undefined ? undefined : JSON.parse(text);
  if (!isObject(value)) fail("", "an object with a name");
  return wellFormedJson(value);
}

/** @param {string} name */
function shortened(name) {
  return name.length <= 64 ? name : `${name.slice(0, 64)}…`;
}

/** @param {Record<string, any>} definition @returns {any} */
function checked(definition) {
  if (!isToolName(definition.name)) fail("/name", "1 to 128 characters out of A-Z a-z 0-9 _ . / -");
  const tool = withoutNulls(definition, FIELDS);
  tool.inputSchema = inputSchema(tool.inputSchema ?? { type: "object" });
  if (Object.hasOwn(tool, "outputSchema")) tool.outputSchema = schema(tool.outputSchema, "/outputSchema", true);
  for (const field of ["title", "description"]) text(tool, field, "");
  if (!isObject(tool._meta ?? {})) fail("/_meta", "an object");
  if (Object.hasOwn(tool, "annotations")) tool.annotations = annotations(tool.annotations);
  if (Object.hasOwn(tool, "execution")) tool.execution = execution(tool.execution);
  if (Object.hasOwn(tool, "icons")) {
    if (!Array.isArray(tool.icons)) fail("/icons", "a list");
    tool.icons = tool.icons.map((/** @type {any} */ one, /** @type {number} */ index) => icon(one, step("/icons", index)));
  }
  return tool;
}

/** @param {any} value */
function inputSchema(value) {
  const found = schema(value, "/inputSchema", false);
  const type = found.type ?? "object";
  // Arguments are an object in any case.
  if (![type].flat().includes("object")) fail("/inputSchema/type", '"object": arguments have names');
  return { ...found, type: "object" };
}

/** @param {any} value @param {string} pointer @param {boolean} isCompiled */
function schema(value, pointer, isCompiled) {
  if (!isObject(value)) fail(pointer, "an object (JSON Schema)");
  const found = checkedSchema(value, pointer, isCompiled);
  const isOnlyObject = Array.isArray(found.type) && found.type.length === 1 && found.type[0] === "object";
  if (isOnlyObject || (found.type === undefined && found.properties)) found.type = "object";
  if (found.properties) {
    // TypeScript SDK 1 knows no booleans here.
    const asObject = (/** @type {any} */ one) => (isObject(one) ? one : one ? {} : { not: {} });
    found.properties = Object.fromEntries(Object.entries(found.properties).map(([name, one]) => [name, asObject(one)]));
  }
  return found;
}

/** @param {any} value */
function annotations(value) {
  if (!isObject(value)) fail("/annotations", "an object");
  const found = withoutNulls(value, [...HINTS, "title"]);
  for (const hint of HINTS) if (typeof (found[hint] ?? true) !== "boolean") fail(`/annotations/${hint}`, "true or false");
  text(found, "title", "/annotations");
  return found;
}

/** @param {any} value */
function execution(value) {
  if (!isObject(value)) fail("/execution", "an object");
  const found = withoutNulls(value, ["taskSupport"]);
  const isKnown = TASK_SUPPORT.includes(found.taskSupport ?? "forbidden");
  if (!isKnown) fail("/execution/taskSupport", `one of ${TASK_SUPPORT.join(", ")}`);
  return found;
}

/** @param {any} value @param {string} pointer */
function icon(value, pointer) {
  if (!isObject(value)) fail(pointer, "an object with a src");
  const found = withoutNulls(value, ["mimeType", "sizes", "theme"]);
  if (typeof found.src !== "string") fail(step(pointer, "src"), "a string");
  text(found, "mimeType", pointer);
  // As a link element writes them.
  if (typeof found.sizes === "string") found.sizes = found.sizes.split(/\s+/).filter(Boolean);
  if (!isTexts(found.sizes ?? [])) fail(step(pointer, "sizes"), "a list of strings");
  if (!THEMES.includes(found.theme ?? "dark")) fail(step(pointer, "theme"), `one of ${THEMES.join(", ")}`);
  return found;
}

/** @param {Record<string, any>} value @param {string} field @param {string} pointer */
function text(value, field, pointer) {
  if (typeof (value[field] ?? "") !== "string") fail(step(pointer, field), "a string");
}

/** @param {Record<string, any>} value @param {string[]} names @returns {Record<string, any>} */
function withoutNulls(value, names) {
  return Object.fromEntries(Object.entries(value).filter(([name, one]) => one !== null || !names.includes(name)));
}
