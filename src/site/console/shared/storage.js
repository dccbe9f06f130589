/** Storage of the page's settings in the browser; in memory if the user blocks it. */

/** @type {Map<string, string>} */
const unstored = new Map();

/**
 * @param {"localStorage" | "sessionStorage"} area
 * @param {string} key
 * @returns {string | null}
 */
export function recall(area, key) {
  try {
    return globalThis[area].getItem(key);
  } catch {
    return unstored.get(key) ?? null;
  }
}

/**
 * @param {"localStorage" | "sessionStorage"} area
 * @param {string} key
 * @param {string} text
 */
export function keep(area, key, text) {
  try {
    globalThis[area].setItem(key, text);
  } catch {
    unstored.set(key, text);
  }
}
