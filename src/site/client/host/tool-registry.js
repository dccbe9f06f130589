/** The tools that a host offers, and what the server has been told of them. */

/** @typedef {import("./approvals.js").Approver} Approver */

/**
 * A tool as guests see it; as in MCP.
 * @typedef {object} ToolDefinition
 * @property {string} name
 * @property {string} [title]
 * @property {string} [description]
 * @property {Record<string, unknown>} [inputSchema] JSON Schema of the arguments
 * @property {Record<string, unknown>} [outputSchema]
 * @property {Record<string, unknown>} [annotations] hints such as `readOnlyHint`
 * @property {Record<string, unknown>} [_meta]
 */

/**
 * @typedef {object} ToolContext
 * @property {string} id the request's
 * @property {AbortSignal} signal aborted when the request is cancelled or the session ends: stop, nobody waits
 * @property {boolean} restarted this request was already begun before the page was reloaded; its effects may be there
 * @property {(value: unknown) => void} progress tell the guest how far it is; any JSON
 */

/** @typedef {(args: any, context: ToolContext) => unknown} ToolHandler */

/**
 * @typedef {object} ToolOptions
 * @property {boolean | Approver} [approve] whether each call waits for a decision of the host's approver, or of this one;
 *   by default where the host has an approver and the tool does not say of itself that it only reads (`readOnlyHint`)
 */

/** @typedef {{ definition: ToolDefinition, handler: ToolHandler, approve?: boolean | Approver }} Tool */

export class ToolRegistry {
  #put;
  #published = false;
  /** @type {Map<string, Tool>} */
  #tools = new Map();

  /** @param {(definitions: ToolDefinition[]) => Promise<unknown>} put tells the server */
  constructor(put) {
    this.#put = put;
  }

  /** Add `tool`, or put it in the place of the one with its name. @param {Tool} tool */
  set(tool) {
    this.#tools.set(tool.definition.name, tool);
    this.#published = false;
  }

  /** @param {string} name */
  find(name) {
    return this.#tools.get(name);
  }

  /** Tell the server, unless it knows. */
  async publish() {
    if (this.#published) return;
    this.#published = true;
    try {
      await this.#put([...this.#tools.values()].map(({ definition }) => definition));
    } catch (error) {
      this.#published = false;
      throw error;
    }
  }
}
