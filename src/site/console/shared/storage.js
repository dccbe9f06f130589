/** What the page keeps in the browser. Where the user forbids that, it is kept as long as the page. */

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
