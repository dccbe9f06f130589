/** Converts what a handler returns or throws to the answer on the wire. */

import { ApiError } from "../errors.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */

/** The longest error message that the server accepts. */
const MAX_MESSAGE_LENGTH = 4000;

/**
 * An error answer. It includes the `data` of an exception, but not its stack, which must not leave the page.
 * @param {string} code
 * @param {unknown} error
 * @returns {Answer}
 */
export function errorAnswer(code, error) {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return { error: { code, message: message.slice(0, MAX_MESSAGE_LENGTH), ...jsonData(error) } };
}

/**
 * The answer for a handler's return value. A value that JSON can't represent becomes an error answer.
 * @param {unknown} value
 * @returns {Answer}
 */
export function resultAnswer(value) {
  try {
    const text = JSON.stringify(value === undefined ? null : value);
    if (text === undefined) throw new TypeError("The handler's result is not JSON.");
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
  return { error: { code, message: `The tool's answer could not be delivered: ${error.message}`.slice(0, 1000) } };
}

/** @param {unknown} error */
function jsonData(error) {
  if (!(error instanceof Error) || !("data" in error) || error.data === undefined) return {};
  const answer = resultAnswer(error.data);
  return "result" in answer ? { data: answer.result } : {};
}
