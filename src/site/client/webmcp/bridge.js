/** Offers the page's WebMCP tools as a host's tools, and follows their changes. */

import { Emitter } from "../emitter.js";
import { WaypostError } from "../errors.js";

/** @typedef {import("../host/tool-registry.js").Tool} Tool */
/** @typedef {import("../host/tool-registry.js").ToolContext} ToolContext */
/** @typedef {import("../host/tool-registry.js").ToolDefinition} ToolDefinition */
/** @typedef {import("./page-tools.js").PageTools} PageTools */

/** A tool that is not offered, and why. @typedef {{ name: string, reason: string }} RefusedTool */

/**
 * How the bridge changes the host's tools.
 * @typedef {object} Offers
 * @property {(definition: ToolDefinition, handler: (args: any, context: ToolContext) => unknown) => Tool} offer throws for a bad definition
 * @property {(name: string) => Tool | undefined} find
 * @property {(name: string) => void} withdraw
 * @property {(error: unknown) => void} fail
 */

/**
 * The page's WebMCP tools as tools of a host. `change`: what is offered is different now.
 * @extends {Emitter<{ change: undefined }>}
 */
export class WebMcp extends Emitter {
  #page;
  #host;
  #stop;
  #isStopped = false;
  /** What this bridge offers, by name, with its definition as JSON. @type {Map<string, { text: string, tool: Tool }>} */
  #offered = new Map();
  /** Why, by name. @type {Map<string, string>} */
  #refused = new Map();

  /**
   * @param {PageTools} page
   * @param {Offers} host
   */
  constructor(page, host) {
    super();
    this.#page = page;
    this.#host = host;
    const stops = [page.on("change", () => this.#update()), page.on("error", ({ error }) => host.fail(error))];
    this.#stop = () => stops.forEach((stop) => stop());
    this.#update();
  }

  /** The tools that are offered. @returns {ToolDefinition[]} */
  get tools() {
    return [...this.#offered.values()].map(({ tool }) => tool.definition);
  }

  /** The page's tools that can't be offered. The others are. @returns {RefusedTool[]} */
  get refused() {
    return [...this.#refused].map(([name, reason]) => ({ name, reason }));
  }

  /** Resolves when the tools that the page has registered until now are offered. */
  async ready() {
    await this.#page.settled();
    return this;
  }

  /** Whether `stop()` or the end of the session has ended it. */
  get isStopped() {
    return this.#isStopped;
  }

  /** Follows the page's tools no longer; what is offered stays. */
  leave() {
    this.#isStopped = true;
    this.#stop();
  }

  /** Withdraws the page's tools from the host, and follows them no longer. */
  stop() {
    this.leave();
    for (const name of [...this.#offered.keys()]) this.#withdraw(name);
    this.#refused.clear();
  }

  #update() {
    const before = this.#state();
    const { tools } = this.#page;
    for (const name of [...this.#offered.keys()]) if (!tools.has(name)) this.#withdraw(name);
    for (const name of [...this.#refused.keys()]) if (!tools.has(name)) this.#refused.delete(name);
    for (const [name, { definition }] of tools) this.#offer(name, definition);
    if (this.#state() !== before) this.emit("change", undefined);
  }

  #state() {
    return JSON.stringify([[...this.#offered].map(([name, { text }]) => [name, text]), this.refused]);
  }

  /** @param {string} name @param {ToolDefinition} definition */
  #offer(name, definition) {
    const text = JSON.stringify(definition);
    const offered = this.#offered.get(name);
    const taken = this.#host.find(name);
    // Since then, the page has given the host a tool of its own with this name: that one stays.
    if (offered && taken !== offered.tool) this.#offered.delete(name);
    else if (offered?.text === text) return;
    if (taken && taken !== offered?.tool) return this.#refuse(name, "The page offers another tool under this name itself.");
    // A refused one is offered again at each change: what it clashed with may be gone.
    try {
      const tool = this.#host.offer(definition, (args, context) => this.#run(name, args, context));
      this.#offered.set(name, { text, tool });
      this.#refused.delete(name);
    } catch (error) {
      if (offered) this.#withdraw(name);
      this.#refuse(name, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {string} name @param {string} reason */
  #refuse(name, reason) {
    if (this.#refused.get(name) === reason) return;
    this.#refused.set(name, reason);
    this.#host.fail(new WaypostError("bad_tool", `The page's tool ${JSON.stringify(name)} is not offered: ${reason}`));
  }

  /** @param {string} name */
  #withdraw(name) {
    const offered = this.#offered.get(name);
    this.#offered.delete(name);
    if (offered && this.#host.find(name) === offered.tool) this.#host.withdraw(name);
  }

  /** @param {string} name @param {any} args @param {ToolContext} context */
  #run(name, args, context) {
    const tool = this.#page.tools.get(name);
    if (!tool) throw new WaypostError("tool_gone", `The page has withdrawn its tool ${JSON.stringify(name)}.`);
    const { readOnlyHint, idempotentHint } = tool.definition.annotations ?? {};
    // A tool of WebMCP can't know that this is its second run. A form that was submitted, for example, has left the page.
    if (context.restarted && readOnlyHint !== true && idempotentHint !== true) {
      throw new WaypostError("interrupted", `The page was left or reloaded while this call ran. It may have taken effect: look before you call again. ${whereabouts()}`);
    }
    return tool.run(args, context);
  }
}

function whereabouts() {
  const { document, location } = globalThis;
  return location ? `The page is now ${location.origin}${location.pathname} (${document?.title ?? ""}).` : "";
}
