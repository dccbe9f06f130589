/**
 * Texts that UTF-8 can carry. A text cut in the middle of an emoji ends in half a surrogate pair, and no server accepts the JSON that
 * `JSON.stringify` writes for it.
 */

/** `text` with U+FFFD in place of each half of a surrogate pair. @param {string} text */
export function wellFormed(text) {
  // With the flag u, a whole pair is one character, which is no surrogate.
  return text.replace(/\p{Surrogate}/gu, "\uFFFD");
}

/**
 * A copy of the JSON `value` whose texts and names are all well-formed.
 * @param {any} value
 * @returns {any}
 */
export function wellFormedJson(value) {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormedJson);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [wellFormed(name), wellFormedJson(member)]));
}
