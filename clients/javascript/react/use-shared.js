/** A shared store in a component. */

import { useCallback, useSyncExternalStore } from "react";

/**
 * The value of the store with this key; `initial` while there is none: on a server, and while a page is hydrated.
 * @template {object} Value
 * @param {import("./shared.js").SharedStores<import("./shared.js").Store<Value> & any>} stores
 * @param {string | null} key null: none is wanted
 * @param {() => any} make
 * @param {Value} initial
 * @returns {Value}
 */
export function useShared(stores, key, make, initial) {
  const subscribe = useCallback(
    (/** @type {() => void} */ listener) => (key === null ? () => {} : stores.use(key, make, listener)),
    // Not `make`: the store reads the newest options by itself.
    [stores, key],
  );
  const read = () => (key === null ? initial : (stores.find(key)?.value ?? initial));
  return useSyncExternalStore(subscribe, read, () => initial);
}
