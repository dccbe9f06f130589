/**
 * What components of a page share under a key: React may mount a component twice (StrictMode), or mount its successor before
 * it unmounts, and there must be one session and one stream nevertheless.
 */

/** How long it stays after its last user has left: the next page of an app may take it over. */
const GRACE_MS = 1000;

/**
 * A value that changes, for `useSyncExternalStore`. `start()` and `stop()` are called once each.
 * @template {object} Value
 */
export class Store {
  #value;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {Value} value */
  constructor(value) {
    this.#value = value;
  }

  /** The same object until something has changed. */
  get value() {
    return this.#value;
  }

  /** @param {Partial<Value>} change */
  set(change) {
    this.#value = { ...this.#value, ...change };
    for (const listener of [...this.#listeners]) listener();
  }

  /** @param {() => void} listener @returns {() => void} stops listening */
  listen(listener) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  start() {}

  stop() {}
}

/**
 * `end`: the timer of a store that is about to stop.
 * @template Kind
 * @typedef {{ store: Kind, users: number, end?: ReturnType<typeof setTimeout> }} Held
 */

/**
 * The stores that are in use, by key. None is made while a component renders: a server renders pages of many people.
 * @template {Store<any>} Kind
 */
export class SharedStores {
  /** @type {Map<string, Held<Kind>>} */
  #held = new Map();

  /** @param {string} key @returns {Kind | undefined} */
  find(key) {
    return this.#held.get(key)?.store;
  }

  /**
   * Uses the store with this key, which the first user makes and starts.
   * @param {string} key
   * @param {() => Kind} make
   * @param {() => void} listener called with each change
   * @returns {() => void} ends the use; the store stops a moment after its last one
   */
  use(key, make, listener) {
    const held = this.#held.get(key) ?? this.#begin(key, make());
    clearTimeout(held.end);
    held.users++;
    const leave = held.store.listen(listener);
    return () => {
      leave();
      held.users--;
      if (held.users > 0) return;
      held.end = setTimeout(() => this.#end(key), GRACE_MS);
      // In Node it would keep the process alive.
      /** @type {any} */ (held.end).unref?.();
    };
  }

  /** @param {string} key @param {Kind} store */
  #begin(key, store) {
    /** @type {Held<Kind>} */
    const held = { store, users: 0 };
    this.#held.set(key, held);
    store.start();
    return held;
  }

  /** @param {string} key */
  #end(key) {
    const held = this.#held.get(key);
    this.#held.delete(key);
    held?.store.stop();
  }
}
