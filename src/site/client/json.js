/** JSON for the wire. Half a surrogate pair, as text cut in the middle of an emoji has, becomes U+FFFD. */

/** The JSON of `value`; undefined if it has none. @param {unknown} value @returns {string | undefined} */
export function toJson(value) {
  const text = JSON.stringify(value);
  // JSON.stringify writes halves, and nothing else, as escapes of this range.
  if (!text?.includes("\\ud")) return text;
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, (escape) => (escape.length === 6 ? "\\ufffd" : escape));
}

/** The bytes of `text`, which has no halves, as UTF-8. @param {string} text */
export function utf8Length(text) {
  let length = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Half of a pair has two of its four bytes.
    if (unit > 0x7f) length += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return length;
}

/** `text` cut to `length` characters, not within a surrogate pair. @param {string} text @param {number} length */
export function shorten(text, length) {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
