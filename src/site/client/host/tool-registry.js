/** The tools that a host offers, and their publication to the server. */

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
 * @property {AbortSignal} signal aborted when the request is cancelled or the session ends: stop working
 * @property {boolean} restarted this request had started before the page was reloaded, so its effects may already exist
 * @property {(value: unknown) => void} progress report progress to the guest; any JSON
 */

/** @typedef {(args: any, context: ToolContext) => unknown} ToolHandler */

/**
 * @typedef {object} ToolOptions
 * @property {boolean | Approver} [approve] whether each call waits for a decision of the host's approver, or of this one;
 *   by default yes if the host has an approver and the tool has no `readOnlyHint`
 */

/** @typedef {{ definition: ToolDefinition, handler: ToolHandler, approve?: boolean | Approver }} Tool */

export class ToolRegistry {
  #put;
  #published = false;
  /** @type {Map<string, Tool>} */
  #tools = new Map();

  /** @param {(definitions: ToolDefinition[]) => Promise<unknown>} put publishes the definitions */
  constructor(put) {
    this.#put = put;
  }

  /** Adds `tool`, in place of one with the same name. @param {Tool} tool */
  set(tool) {
    this.#tools.set(tool.definition.name, tool);
    this.#published = false;
  }

  /** Removes a tool. @param {string} name @returns {boolean} whether there was one */
  delete(name) {
    const isThere = this.#tools.delete(name);
    if (isThere) this.#published = false;
    return isThere;
  }

  /** @param {string} name */
  find(name) {
    return this.#tools.get(name);
  }

  /** Publishes the tools, unless they are published already. */
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
