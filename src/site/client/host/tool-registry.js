/** The tools that a host offers, and their publication to the server. */

import { ApiError, isTransient, WaypostError } from "../errors.js";
import { mappedName } from "./tool-names.js";

/** @typedef {import("./approvals.js").Approver} Approver */

/**
 * A tool as guests see it; as in MCP.
 * @typedef {object} ToolDefinition
 * @property {string} name 1 to 128 characters out of A-Z a-z 0-9 _ . / -
 * @property {string} [title]
 * @property {string} [description]
 * @property {Record<string, unknown>} [inputSchema] JSON Schema of the arguments
 * @property {Record<string, unknown>} [outputSchema]
 * @property {Record<string, unknown>} [annotations] hints such as `readOnlyHint`
 * @property {Record<string, unknown>} [execution] `taskSupport`
 * @property {Record<string, unknown>[]} [icons]
 * @property {Record<string, unknown>} [_meta]
 */

/**
 * @typedef {object} ToolContext
 * @property {string} id the request's
 * @property {AbortSignal} signal aborted when the request is cancelled or the session ends: stop working
 * @property {boolean} restarted this request had started before the page was reloaded, so its effects may already exist
 * @property {(value: unknown) => void} progress report progress to the guest; any JSON of at most 250 KiB
 * @property {string} [traceparent] the trace of the call, if its caller traces: https://www.w3.org/TR/trace-context/
 * @property {string} [tracestate] what tracing systems add to that
 */

/** @typedef {(args: any, context: ToolContext) => unknown} ToolHandler */

/**
 * @typedef {object} ToolOptions
 * @property {boolean | Approver} [approve] whether each call waits for a decision of the host's approver, or of this one;
 *   by default yes if the host has an approver and the tool has no `readOnlyHint`
 */

/** @typedef {{ definition: ToolDefinition, handler: ToolHandler, approve?: boolean | Approver }} Tool */

/** As many as the server takes. */
const MAX_TOOLS = 128;

/** The server takes a list of 256 KiB. The rest is for brackets, and for the mark of each tool of an encrypted session. */
const MAX_DEFINITION_BYTES = 248 * 1024;

/**
 * @typedef {object} RegistryOptions
 * @property {(definitions: ToolDefinition[]) => Promise<unknown>} put publishes the definitions
 * @property {boolean} mapsNames whether the server offers the tools to MCP clients under mapped names
 * @property {(error: unknown) => void} fail called with each tool, or list, that the server refuses
 */

export class ToolRegistry {
  #options;
  /** @type {Map<string, Tool>} */
  #tools = new Map();
  /** Names of tools that the server has refused: they are not offered again until the page replaces them. @type {Set<string>} */
  #refused = new Set();
  #isStale = true;
  /** One publication follows the other: of two at the same time, the older one could reach the store last. @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /** @param {RegistryOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * Adds `tool`, in place of one with the same name.
   * @param {Tool} tool
   * @throws {WaypostError} there is no room for it, or MCP clients would see it under the name of another one
   */
  set(tool) {
    this.#check(tool.definition);
    this.#tools.set(tool.definition.name, tool);
    this.#refused.delete(tool.definition.name);
    this.#isStale = true;
  }

  /** Removes a tool. @param {string} name @returns {boolean} whether there was one */
  delete(name) {
    const isThere = this.#tools.delete(name);
    this.#refused.delete(name);
    if (isThere) this.#isStale = true;
    return isThere;
  }

  /** @param {string} name */
  find(name) {
    return this.#tools.get(name);
  }

  /** Publishes the tools again when it is due: another host may have published its own. */
  expire() {
    this.#isStale = true;
  }

  /**
   * Publishes the tools, unless they are published already. A tool that the server refuses is reported and left out. A list that it
   * refuses without naming a tool is reported, and the one before it stays. Rejects with every other error.
   */
  publish() {
    const turn = this.#turn.catch(() => {}).then(() => this.#publish());
    this.#turn = turn;
    return turn;
  }

  async #publish() {
    while (this.#isStale) {
      this.#isStale = false;
      const definitions = [...this.#tools.values()].map(({ definition }) => definition);
      const offered = definitions.filter(({ name }) => !this.#refused.has(name));
      try {
        await this.#options.put(offered);
      } catch (error) {
        if (!(error instanceof ApiError) || error.isFinal || isTransient(error)) {
          this.#isStale = true;
          throw error;
        }
        this.#leaveOut(offered, error);
      }
    }
  }

  /** @param {ToolDefinition[]} offered @param {ApiError} error */
  #leaveOut(offered, error) {
    const named = Array.isArray(error.problem.tools) ? error.problem.tools : [];
    const faulty = named.filter((fault) => offered.some(({ name }) => name === fault?.tool));
    for (const { tool, detail } of faulty) {
      this.#refused.add(tool);
      this.#isStale = true;
      this.#options.fail(new WaypostError("invalid_tool", `${detail}`, { cause: error }));
    }
    if (faulty.length === 0) this.#options.fail(error);
  }

  /** @param {ToolDefinition} definition */
  #check({ name, ...fields }) {
    const others = [...this.#tools.values()].map(({ definition }) => definition).filter((other) => other.name !== name);
    if (others.length >= MAX_TOOLS) {
      throw new WaypostError("too_many_tools", `The tool "${name}" has no room: a session offers at most ${MAX_TOOLS} tools.`);
    }
    const twin = this.#options.mapsNames && others.find((other) => mappedName(other.name) === mappedName(name));
    if (twin) {
      const clash = `MCP clients see it as ${mappedName(name)}, and the tool "${twin.name}" too`;
      throw new WaypostError("invalid_tool", `The tool "${name}": ${clash}. Rename one, or create the session with mapToolNames: false.`);
    }
    if (bytes([...others, { name, ...fields }]) > MAX_DEFINITION_BYTES) {
      const limit = `the definitions of a session's tools may have ${MAX_DEFINITION_BYTES} bytes together, as JSON`;
      throw new WaypostError("tools_too_large", `The tool "${name}" has no room: ${limit}.`);
    }
  }
}

/** @param {ToolDefinition[]} definitions */
function bytes(definitions) {
  return new TextEncoder().encode(JSON.stringify(definitions)).length;
}
