/** A WebMCP tool in the form of this client: a definition as in MCP, and a function that runs it. */

/** @typedef {import("../host/tool-registry.js").ToolContext} ToolContext */
/** @typedef {import("../host/tool-registry.js").ToolDefinition} ToolDefinition */

/**
 * @typedef {object} PageTool
 * @property {ToolDefinition} definition
 * @property {(args: any, context: ToolContext) => unknown} run
 */

const TEXTS = ["title", "description"];
const OBJECTS = ["inputSchema", "outputSchema", "annotations", "_meta"];

/**
 * Copies what a page, a browser or a polyfill says about a tool. Lists give the schema as JSON text or as an object, and an
 * empty title for none. Throws if it is no JSON.
 * @param {any} tool
 * @returns {ToolDefinition}
 */
export function definitionOf(tool) {
  /** @type {Record<string, unknown>} */
  const definition = { name: String(tool.name) };
  for (const key of TEXTS) if (tool[key] !== undefined && tool[key] !== null && tool[key] !== "") definition[key] = String(tool[key]);
  for (const key of OBJECTS) {
    const value = copy(tool[key]);
    if (value !== undefined && value !== null) definition[key] = value;
  }
  return /** @type {ToolDefinition} */ (definition);
}

/** @param {unknown} value */
function copy(value) {
  if (value === undefined || value === "") return undefined;
  return JSON.parse(typeof value === "string" ? value : (JSON.stringify(value) ?? "null"));
}

/**
 * The second argument of a tool's `execute`: today's has the signal; the former one could ask the person at the page.
 * @param {ToolContext} context
 */
export function executeOptions({ signal, progress }) {
  return {
    signal,
    /** @param {() => unknown} interact shows something to the person, and resolves with their answer */
    async requestUserInteraction(interact) {
      progress("Waiting for the person at the page.");
      return interact();
    },
  };
}
