/** Converts what a handler returns or throws to the answer on the wire. */

import { ApiError } from "../errors.js";
import { shorten, toJson, utf8Length } from "../json.js";
import { plainValue, UnsendableError } from "./plain-value.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */

/** The largest result that the server accepts, in bytes of JSON. */
export const MAX_RESULT_BYTES = 8 * 1024 * 1024;

/** The longest error message that the server accepts, less some room. */
const MAX_MESSAGE_LENGTH = 4000;

/** Characters of an error's `data`; the server accepts few more. */
const MAX_DATA_LENGTH = 64 * 1024;

/**
 * An error answer. It includes the `data` of an exception, but not its stack, which must not leave the page.
 * @param {string} code
 * @param {unknown} error
 * @returns {Answer}
 */
export function errorAnswer(code, error) {
  const message = shorten(messageOf(error), MAX_MESSAGE_LENGTH);
  const data = dataOf(error);
  const text = data === undefined ? undefined : jsonOrNothing(data);
  if (text === undefined) return { error: { code, message } };
  const isTooLong = text.length > MAX_DATA_LENGTH;
  return { error: { code, message, data: isTooLong ? `${text.length} characters of data were left out.` : JSON.parse(text) } };
}

/**
 * The answer for a handler's return value. A value that can't be sent becomes an error answer that says what to return.
 * @param {unknown} value
 * @param {number} [maxBytes]
 * @returns {Promise<Answer>}
 */
export async function resultAnswer(value, maxBytes = MAX_RESULT_BYTES) {
  try {
    const text = toJson((await plainValue(value)) ?? null);
    if (text === undefined) throw new UnsendableError("A tool's answer must be JSON: its toJSON() returns nothing.");
    // A character has three bytes at most.
    const size = text.length * 3 <= maxBytes ? 0 : utf8Length(text);
    if (size > maxBytes) return { error: { code: "answer_too_large", message: tooLarge(size, maxBytes) } };
    return { result: JSON.parse(text) };
  } catch (error) {
    return errorAnswer("tool_error", error);
  }
}

/**
 * The answer to send instead of one that the server refuses for good; null if there is none.
 * @param {Answer} answer
 * @param {unknown} error
 * @returns {Answer | null}
 */
export function substitute(answer, error) {
  if (!(error instanceof ApiError) || error.isFinal) return null;
  if ("error" in answer && ["answer_too_large", "answer_refused"].includes(answer.error.code)) return null;
  const code = error.status === 413 ? "answer_too_large" : "answer_refused";
  return { error: { code, message: shorten(`The tool's answer could not be delivered: ${error.message}`, 1000) } };
}

/**
 * @param {number} size
 * @param {number} maxBytes
 */
function tooLarge(size, maxBytes) {
  const mib = (/** @type {number} */ bytes) => (bytes / 1024 / 1024).toFixed(1);
  const advice = "Return a part of it, or a smaller image: scaled down, or as JPEG or WebP.";
  return `The tool's answer has ${mib(size)} MiB of JSON, and may have ${mib(maxBytes)}. ${advice}`;
}

/** @param {unknown} error */
function messageOf(error) {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error !== "object" || error === null) return String(error);
  if ("message" in error && typeof error.message === "string" && error.message) return error.message;
  return jsonOrNothing(error) ?? `A ${error.constructor?.name ?? "object"} was thrown.`;
}

/** What an error has to say besides its message: its `data`; for a plain object, with its `code`. @param {unknown} error */
function dataOf(error) {
  if (typeof error !== "object" || error === null) return undefined;
  const data = "data" in error ? error.data : undefined;
  if (error instanceof Error || !("message" in error) || !("code" in error)) return data;
  return data === undefined ? { code: error.code } : { code: error.code, data };
}

/** The JSON of `value`; undefined if it has none, or none that says anything. @param {unknown} value */
function jsonOrNothing(value) {
  try {
    const text = toJson(value);
    return text === "{}" ? undefined : text;
  } catch {
    // Not JSON: a cycle, a BigInt, a getter that throws.
    return undefined;
  }
}
