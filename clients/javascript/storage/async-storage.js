/**
 * A storage over one that answers later, such as React Native's AsyncStorage. It reads everything once, then writes behind: a
 * host runs a call only after what it remembers of it is written.
 */

/** @typedef {import("../waypost.js").StateStorage} StateStorage */

/**
 * @typedef {object} AsyncKeyValues
 * @property {(key: string) => Promise<string | null | undefined>} getItem
 * @property {(key: string, value: string) => Promise<unknown>} setItem
 * @property {(key: string) => Promise<unknown>} removeItem
 */

/** The names of what is stored: such a storage need not be able to list them. */
const INDEX = "waypost.index";

/**
 * Reads what is stored. Rejects with the error of `store` if it can't be read.
 * @param {AsyncKeyValues} store
 * @returns {Promise<StateStorage & { written: () => Promise<void> }>} `written()`: resolves when all that was set is stored
 */
export async function asyncStorage(store) {
  const names = (await store.getItem(INDEX))?.split("\n") ?? [];
  const values = await Promise.all(names.map(async (name) => [name, await store.getItem(name)]));
  const found = values.filter(([, value]) => value !== null && value !== undefined);
  return new WrittenBehind(store, new Map(/** @type {[string, string][]} */ (found)));
}

/** @implements {StateStorage} */
class WrittenBehind {
  #store;
  #items;
  /** The names that are in the stored index. */
  #indexed;
  /** What is not stored yet, the oldest first; null: removed. @type {Map<string, string | null>} */
  #unwritten = new Map();
  /** @type {Promise<void> | null} */
  #writing = null;
  /** Why the last attempt to store something failed. @type {unknown} */
  #problem = null;

  /** @param {AsyncKeyValues} store @param {Map<string, string>} items */
  constructor(store, items) {
    this.#store = store;
    this.#items = items;
    this.#indexed = new Set(items.keys());
  }

  /** @param {string} key */
  getItem(key) {
    return this.#items.get(key) ?? null;
  }

  /** Throws if what was set before could not be stored, and tries that again. @param {string} key @param {string} value */
  setItem(key, value) {
    const problem = this.#problem;
    if (problem === null) {
      this.#items.set(key, value);
      this.#change(key, value);
    } else {
      this.#write();
      throw problem;
    }
  }

  /** @param {string} key */
  removeItem(key) {
    if (this.#items.delete(key)) this.#change(key, null);
  }

  /** @returns {Promise<void>} */
  async written() {
    while (this.#writing) await this.#writing;
    if (this.#problem !== null) throw this.#problem;
  }

  /** @param {string} key @param {string | null} value */
  #change(key, value) {
    this.#unwritten.delete(key);
    this.#unwritten.set(key, value);
    this.#write();
  }

  #write() {
    this.#writing ??= this.#writeAll().then(() => {
      this.#writing = null;
      if (this.#unwritten.size > 0 && this.#problem === null) this.#write();
    });
  }

  async #writeAll() {
    this.#problem = null;
    try {
      for (const [key, value] of this.#unwritten) {
        await this.#put(key, value);
        // It may have changed meanwhile: then it comes again.
        if (this.#unwritten.get(key) === value) this.#unwritten.delete(key);
      }
    } catch (error) {
      this.#problem = error;
    }
  }

  /** Before a value, its name: what the index does not name would stay for ever. @param {string} key @param {string | null} value */
  async #put(key, value) {
    if (value === null) return void (await this.#store.removeItem(key));
    if (!this.#indexed.has(key)) {
      const named = [...this.#indexed].filter((name) => this.#items.has(name) || this.#unwritten.has(name));
      await this.#store.setItem(INDEX, [...named, key].join("\n"));
      this.#indexed = new Set([...named, key]);
    }
    await this.#store.setItem(key, value);
  }
}
