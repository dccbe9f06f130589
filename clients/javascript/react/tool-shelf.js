/** The tools that the components of a page offer under one key. Components may come before their host, and outlive it. */

/** @typedef {import("../waypost.js").Host} Host */

/**
 * @typedef {object} Offer
 * @property {import("../waypost.js").ToolDefinition} definition
 * @property {import("../waypost.js").ToolHandler} handler
 * @property {import("../waypost.js").ToolOptions} options
 */

export class ToolShelf {
  /** The last offer of a name counts. @type {Offer[]} */
  #offers = [];
  /** @type {Host | null} */
  #host = null;
  /** @type {(error: unknown) => void} */
  #fail = () => {};

  /**
   * @param {Offer} offer
   * @returns {() => void} takes it back
   */
  add(offer) {
    this.#offers.push(offer);
    this.#show(offer.definition.name);
    return () => {
      this.#offers = this.#offers.filter((other) => other !== offer);
      this.#show(offer.definition.name);
    };
  }

  /** Offers everything at this host from now on. @param {Host} host @param {(error: unknown) => void} fail */
  attach(host, fail) {
    this.#host = host;
    this.#fail = fail;
    for (const name of new Set(this.#offers.map(({ definition }) => definition.name))) this.#show(name);
  }

  /** @param {Host} host */
  detach(host) {
    if (this.#host === host) this.#host = null;
  }

  get isEmpty() {
    return this.#offers.length === 0 && this.#host === null;
  }

  /** @param {string} name */
  #show(name) {
    const offer = this.#offers.findLast(({ definition }) => definition.name === name);
    try {
      if (offer) this.#host?.tool(offer.definition, offer.handler, offer.options);
      else this.#host?.removeTool(name);
    } catch (error) {
      this.#fail(error);
    }
  }
}

/** By the key of a host; an empty one is forgotten. @type {Map<string, ToolShelf>} */
const shelves = new Map();

/** @param {string} key @returns {ToolShelf} */
export function shelfOf(key) {
  const shelf = shelves.get(key) ?? new ToolShelf();
  shelves.set(key, shelf);
  return shelf;
}

/** @param {string} key */
export function tidy(key) {
  if (shelves.get(key)?.isEmpty) shelves.delete(key);
}
