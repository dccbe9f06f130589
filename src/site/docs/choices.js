/** What the reader has chosen for all commands: their language, and the values that are put into them. */

import { keep, recall } from "../console/shared/storage.js";
import { LANGUAGES } from "./commands/languages.js";

/** @typedef {import("./commands/languages.js").Language} Language */

const LANGUAGE = "waypost.docs.language";
const VALUES = "waypost.docs.values";

/** Fires `language` and `values` when they change. The values hold tokens: they stay in this tab. */
export class Choices extends EventTarget {
  /** @type {Language} */
  #language = "curl";
  /** @type {Record<string, string>} */
  #values = {};

  constructor() {
    super();
    const language = recall("localStorage", LANGUAGE) ?? "";
    if (language in LANGUAGES) this.#language = /** @type {Language} */ (language);
    try {
      this.#values = JSON.parse(recall("sessionStorage", VALUES) ?? "{}");
    } catch {
      // Not written by this page.
    }
  }

  get language() {
    return this.#language;
  }

  /** @param {Language} language */
  set language(language) {
    this.#language = language;
    keep("localStorage", LANGUAGE, language);
    this.dispatchEvent(new Event("language"));
  }

  get values() {
    return this.#values;
  }

  /** @param {Record<string, string>} values an empty one is taken out */
  update(values) {
    const all = { ...this.#values, ...values };
    this.#values = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ""));
    this.#changed();
  }

  clear() {
    this.#values = {};
    this.#changed();
  }

  #changed() {
    keep("sessionStorage", VALUES, JSON.stringify(this.#values));
    this.dispatchEvent(new Event("values"));
  }
}
