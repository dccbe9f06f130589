/**
 * Follows what a page registers with one context, by wrapping its functions. A tool seen here runs through the page's own
 * `execute`: its result and its error arrive as they are, which a browser's list does not grant.
 */

import { definitionOf, executeOptions } from "./definition.js";

/** @typedef {import("./contexts.js").ModelContext} ModelContext */
/** @typedef {import("./definition.js").PageTool} PageTool */

export class Registrations {
  #context;
  #changed;
  /** @type {Map<string, PageTool>} */
  #tools = new Map();
  /** What restores the functions. @type {(() => void)[]} */
  #undo = [];

  /**
   * @param {ModelContext} context
   * @param {() => void} changed called after a change
   */
  constructor(context, changed) {
    this.#context = context;
    this.#changed = changed;
    this.#wrap("registerTool", (register, [tool, options, ...rest]) => this.#register(register, tool, options, rest));
    // The first two shapes of WebMCP, which polyfills still have.
    this.#wrap("unregisterTool", (unregister, [name, ...rest]) => this.#after(unregister(name, ...rest), () => this.#remove(`${name?.name ?? name}`)));
    this.#wrap("clearContext", (clear, all) => this.#after(clear(...all), () => this.#replace([])));
    this.#wrap("provideContext", (provide, [given, ...rest]) => {
      const tools = [...(given?.tools ?? [])].flatMap(pageTool);
      return this.#after(provide(given, ...rest), () => this.#replace(tools));
    });
  }

  /** What was registered through the wrapped functions, and not withdrawn. */
  get tools() {
    return this.#tools;
  }

  /** Restores the context's functions, where nobody has wrapped them again. */
  stop() {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /**
   * @param {(...all: any[]) => any} register
   * @param {any} tool
   * @param {any} options
   * @param {any[]} rest
   */
  #register(register, tool, options, rest) {
    // Copied before the page can change the object.
    const [copy] = pageTool(tool);
    const result = register(tool, ...(options === undefined ? rest : [options, ...rest]));
    if (!copy) return result;
    const { name } = copy.definition;
    const done = this.#after(result, () => {
      if (options?.signal?.aborted) return;
      this.#tools.set(name, copy);
      options?.signal?.addEventListener?.("abort", () => this.#tools.get(name) === copy && this.#remove(name), { once: true });
    });
    // The first polyfills return a handle.
    const unregister = done?.unregister;
    if (typeof unregister !== "function") return done;
    return { ...done, unregister: () => this.#after(unregister.call(done), () => this.#remove(name)) };
  }

  /** @param {string} name */
  #remove(name) {
    if (this.#tools.delete(name)) this.#changed();
  }

  /** @param {PageTool[]} tools */
  #replace(tools) {
    this.#tools = new Map(tools.map((tool) => [tool.definition.name, tool]));
  }

  /**
   * Runs `then` once the context's function has succeeded. A promise is continued, not watched from aside: where the page
   * does not handle its rejection, the browser still reports it.
   * @param {any} result
   * @param {() => void} then
   */
  #after(result, then) {
    const finish = (/** @type {any} */ value) => {
      then();
      this.#changed();
      return value;
    };
    return typeof result?.then === "function" ? result.then(finish) : finish(result);
  }

  /**
   * @param {string} name
   * @param {(original: (...all: any[]) => any, all: any[]) => any} around
   */
  #wrap(name, around) {
    const context = this.#context;
    const original = context[name];
    if (typeof original !== "function") return;
    const before = Object.getOwnPropertyDescriptor(context, name);
    const wrapped = (/** @type {any[]} */ ...all) => around((...given) => original.apply(context, given), all);
    try {
      Object.defineProperty(context, name, { value: wrapped, configurable: true, writable: true, enumerable: before?.enumerable ?? true });
    } catch {
      // A context that can't be changed: its list has to do.
      return;
    }
    this.#undo.push(() => {
      if (context[name] !== wrapped) return;
      if (before) Object.defineProperty(context, name, before);
      else delete context[name];
    });
  }
}

/** @param {any} tool @returns {PageTool[]} none where the context itself will refuse it */
function pageTool(tool) {
  const { execute } = tool ?? {};
  if (typeof execute !== "function") return [];
  try {
    return [{ definition: definitionOf(tool), run: (args, context) => execute.call(tool, args, executeOptions(context)) }];
  } catch {
    return [];
  }
}
