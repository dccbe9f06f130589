/** The result of a tool call, in words. */

import { inline } from "../shared/format.js";

/** The code of an error, if it has one. @param {any} value the result */
export function errorCode(value) {
  return typeof value?.code === "string" ? value.code : "";
}

/** A result on one line. @param {unknown} value */
export function resultText(value) {
  return typeof value === "string" ? value : inline(value);
}

/** An error on one line: its message, if it has one. @param {any} value */
export function errorText(value) {
  return typeof value?.message === "string" ? value.message : resultText(value);
}
