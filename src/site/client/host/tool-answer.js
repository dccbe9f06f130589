/** What a handler's outcome becomes on the wire. */

import { ApiError } from "../errors.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */

/** The server takes no longer message in an error. */
const MAX_MESSAGE_LENGTH = 4000;

/**
 * An error answer. An exception's own `data` travels along; its stack does not: it is nobody's business outside.
 * @param {string} code
 * @param {unknown} error
 * @returns {Answer}
 */
export function errorAnswer(code, error) {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return { error: { code, message: message.slice(0, MAX_MESSAGE_LENGTH), ...jsonData(error) } };
}

/**
 * The answer for what a handler returned. Something JSON can't hold is the handler's error.
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
 * What to answer instead, when the server will never take the first answer; null if nothing can be done.
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
