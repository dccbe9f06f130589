/**
 * `document.modelContext` for a browser without WebMCP, so that pages that know only WebMCP register their tools there too: the
 * interface of the draft (https://webmachinelearning.github.io/webmcp/), for one document, without forms.
 */

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;

/**
 * @typedef {object} StoredTool
 * @property {string} name
 * @property {string} title
 * @property {string} description
 * @property {string | undefined} inputSchema JSON
 * @property {Record<string, boolean> | undefined} annotations
 * @property {(args: any, options: { signal: AbortSignal }) => unknown} execute
 */

class ModelContext extends EventTarget {
  /** @type {Map<string, StoredTool>} */
  #tools = new Map();
  /** @type {((event: Event) => unknown) | null} */
  #handler = null;

  constructor() {
    super();
    this.addEventListener("toolchange", (event) => this.#handler?.call(this, event));
  }

  get ontoolchange() {
    return this.#handler;
  }

  set ontoolchange(handler) {
    this.#handler = typeof handler === "function" ? handler : null;
  }

  /**
   * @param {any} tool
   * @param {{ signal?: AbortSignal }} [options] aborted: the tool is withdrawn
   */
  async registerTool(tool, { signal } = {}) {
    const stored = checked(tool);
    if (this.#tools.has(stored.name)) throw new DOMException(`Duplicate tool name: ${stored.name}`, "InvalidStateError");
    signal?.throwIfAborted();
    this.#tools.set(stored.name, stored);
    signal?.addEventListener("abort", () => {
      this.#tools.delete(stored.name);
      this.#tell();
    });
    this.#tell();
  }

  async getTools() {
    const { origin } = globalThis;
    return [...this.#tools.values()].map(({ execute, inputSchema, annotations, ...texts }) => ({
      ...texts,
      ...(inputSchema === undefined ? {} : { inputSchema: JSON.parse(inputSchema) }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      window: globalThis.window,
      origin,
    }));
  }

  /**
   * @param {{ name: string }} tool
   * @param {object} [args]
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<string>} its result as text
   */
  async executeTool({ name }, args = {}, { signal = new AbortController().signal } = {}) {
    if (args === null || typeof args !== "object") throw new TypeError("invalid input object: value is not an object");
    const tool = this.#tools.get(name);
    if (!tool) throw new DOMException(`Tool not found: ${name}`, "UnknownError");
    signal.throwIfAborted();
    const result = await tool.execute(JSON.parse(JSON.stringify(args)), { signal });
    return typeof result === "object" && result !== null ? JSON.stringify(result) : String(result);
  }

  #tell() {
    setTimeout(() => this.dispatchEvent(new Event("toolchange")));
  }
}

/** Installs it, unless the browser or a polyfill is there already. Over plain HTTP there is no WebMCP, and none is added. */
export function standIn() {
  const { document, navigator, isSecureContext } = globalThis;
  if (!document || isSecureContext === false || "modelContext" in document || "modelContext" in navigator) return;
  // As the browser's own: a later polyfill may replace it.
  Object.defineProperty(document, "modelContext", { value: new ModelContext(), configurable: true, enumerable: true });
}

/** @param {any} tool @returns {StoredTool} */
function checked(tool) {
  const { name, title = "", description, inputSchema, execute, annotations } = tool ?? {};
  for (const [key, value] of Object.entries({ name, description, execute })) if (value === undefined) throw new TypeError(`${key} is missing.`);
  if (typeof execute !== "function") throw new TypeError("execute is not a function.");
  if (!NAME.test(name)) throw new DOMException(`Invalid tool name: ${name}`, "InvalidStateError");
  if (`${description}` === "") throw new DOMException("The description is empty.", "InvalidStateError");
  const text = inputSchema === undefined ? undefined : JSON.stringify(inputSchema);
  if (inputSchema !== undefined && text === undefined) throw new TypeError("inputSchema is not JSON.");
  const copy = annotations === undefined ? undefined : JSON.parse(JSON.stringify(annotations));
  return { name: `${name}`, title: `${title}`, description: `${description}`, inputSchema: text, annotations: copy, execute };
}
