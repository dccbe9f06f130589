/** The tools that the page has registered with the browser or a polyfill, by any shape of WebMCP. */

import { Emitter } from "../emitter.js";
import { lookOut, modelContexts } from "./contexts.js";
import { CHANGES, listed, listingOf } from "./listings.js";
import { Registrations } from "./registrations.js";

/** @typedef {import("./contexts.js").ModelContext} ModelContext */
/** @typedef {import("./definition.js").PageTool} PageTool */

/**
 * What is known of one context. `list`: the last answer of its list, which is the truth where there is one.
 * @typedef {{ registrations: Registrations, list: Map<string, PageTool & { isOwn: boolean }> | null, isAsking: boolean,
 *   isStale: boolean, stop: () => void }} Source
 */

/** Its number changes with the members of `PageTools`. */
const SHARED = Symbol.for("waypost.page-tools.1");

/** @type {Record<symbol, any>} */
const place = globalThis;

/** @extends {Emitter<{ change: undefined, error: { error: unknown } }>} */
export class PageTools extends Emitter {
  /** @type {Map<ModelContext, Source>} */
  #sources = new Map();
  #stop;

  constructor() {
    super();
    this.#stop = lookOut(() => this.#look());
  }

  /** The tools by name. @returns {Map<string, PageTool>} */
  get tools() {
    /** @type {Map<string, PageTool>} */
    const all = new Map();
    for (const { registrations, list } of this.#sources.values()) {
      for (const [name, tool] of list ?? registrations.tools) {
        const registered = registrations.tools.get(name);
        const isFrames = "isOwn" in tool && tool.isOwn === false;
        if (!all.has(name)) all.set(name, (!isFrames && registered) || tool);
      }
    }
    return all;
  }

  /** Resolves when every list has been asked after the last change. */
  async settled() {
    this.#look();
    while ([...this.#sources.values()].some(({ isAsking }) => isAsking)) {
      await new Promise((resolve) => this.addEventListener("asked", resolve, { once: true }));
    }
  }

  /** Stops following, and restores the contexts' functions. */
  stop() {
    this.#stop();
    for (const { stop } of this.#sources.values()) stop();
    this.#sources.clear();
    if (place[SHARED] === this) delete place[SHARED];
  }

  #look() {
    for (const context of modelContexts()) if (!this.#sources.has(context)) this.#follow(context);
  }

  /** @param {ModelContext} context */
  #follow(context) {
    const listing = listingOf(context);
    const changed = () => (listing ? this.#ask(source, listing) : this.emit("change", undefined));
    const registrations = new Registrations(context, changed);
    for (const type of CHANGES) listing?.events?.addEventListener(type, changed);
    const stop = () => {
      registrations.stop();
      for (const type of CHANGES) listing?.events?.removeEventListener(type, changed);
    };
    /** @type {Source} */
    const source = { registrations, list: listing ? new Map() : null, isAsking: false, isStale: false, stop };
    this.#sources.set(context, source);
    if (listing) this.#ask(source, listing);
  }

  /**
   * Asks a list again; a change while it is asked makes it ask once more.
   * @param {Source} source
   * @param {import("./listings.js").Listing} listing
   */
  async #ask(source, listing) {
    source.isStale = true;
    if (source.isAsking) return;
    source.isAsking = true;
    while (source.isStale) {
      source.isStale = false;
      try {
        source.list = await listed(listing);
      } catch (error) {
        this.emit("error", { error });
      }
    }
    source.isAsking = false;
    this.emit("change", undefined);
    this.dispatchEvent(new Event("asked"));
  }
}

/**
 * The tools of this page. The first call begins to follow them: the earlier, the more is seen. All copies of this client in
 * the page share them, since only the first one has seen what was registered early.
 * @returns {PageTools}
 */
export function pageTools() {
  return (place[SHARED] ??= new PageTools());
}
