/** A part of a storage: several hosts of one page must not take each other's session. */

/** @typedef {import("../waypost.js").StateStorage} StateStorage */

/**
 * @param {StateStorage | null} storage
 * @param {string} name of the part
 * @returns {StateStorage | null}
 */
export function keyedStorage(storage, name) {
  if (!storage) return null;
  const named = (/** @type {string} */ key) => `waypost.react.${name}/${key}`;
  return {
    getItem: (key) => storage.getItem(named(key)),
    setItem: (key, value) => storage.setItem(named(key), value),
    removeItem: (key) => storage.removeItem(named(key)),
    ...(storage.written && { written: () => /** @type {() => Promise<void>} */ (storage.written)() }),
  };
}
