/**
 * Text of others where a person decides about it: every character that can't be seen is written out, so that nothing is
 * allowed that was not shown.
 */

/**
 * Characters that show as nothing, as a blank, or as whatever a font likes, or that change the direction of text:
 *
 * - controls, formats, private, unassigned and lone surrogates (`C`), and all spaces and separators (`Z`);
 * - what is ignored by default (https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point), such as variation
 *   selectors, joiners and the Hangul fillers;
 * - letters, marks and symbols that are blank: Braille blank, object replacement, a musical null notehead, the Khitan and
 *   hieroglyphic fillers.
 */
const HIDDEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{1d159}\u{16fe4}\u{13441}\u{13442}]/u;

/** Of these, what the page shows as what it is. */
const ORDINARY = [" ", "\n", "\t"];

const [ZWNJ, ZWJ, EMOJI_STYLE] = ["\u200c", "\u200d", "\ufe0f"];

const PICTURE = /\p{Extended_Pictographic}/u;
const SKIN_TONE = /\p{Emoji_Modifier}/u;

/** Letters and marks of the scripts that are written with joiners. */
const JOINING = new RegExp(
  `(?=[\\p{L}\\p{M}])[${["Arabic", "Syriac", "Nko", "Mongolian", "Devanagari", "Bengali", "Gurmukhi", "Gujarati", "Oriya", "Tamil"]
    .concat(["Telugu", "Kannada", "Malayalam", "Sinhala", "Khmer", "Myanmar"])
    .map((script) => `\\p{Script=${script}}`)
    .join("")}]`,
  "u",
);

/**
 * `text` with each hidden character as `\u{…}`. Joiners and the emoji style stay where the text needs them: alone between
 * two visible letters or emoji, or after an emoji.
 * @param {string} text
 */
export function plain(text) {
  if (!HIDDEN.test(text)) return text;
  const characters = [...text];
  return characters.map((one, at) => (isPlain(characters, at) ? one : `\\u{${one.codePointAt(0)?.toString(16)}}`)).join("");
}

/**
 * @param {string[]} characters
 * @param {number} at
 */
function isPlain(characters, at) {
  const one = characters[at];
  if (!HIDDEN.test(one) || ORDINARY.includes(one)) return true;
  const [before, after] = [characters[at - 1] ?? "", characters[at + 1] ?? ""];
  // Digits are emoji only as keycaps: 1, the style, U+20E3.
  if (one === EMOJI_STYLE) return isVisible(PICTURE, before) || (/[0-9#*]/.test(before) && after === "\u20e3");
  if (one !== ZWJ && one !== ZWNJ) return false;
  if (isVisible(JOINING, before) && isVisible(JOINING, after)) return true;
  const isStyled = before === EMOJI_STYLE || SKIN_TONE.test(before);
  return one === ZWJ && isVisible(PICTURE, isStyled ? (characters[at - 2] ?? "") : before) && isVisible(PICTURE, after);
}

/** @param {RegExp} kind @param {string} character */
function isVisible(kind, character) {
  return kind.test(character) && !HIDDEN.test(character);
}
