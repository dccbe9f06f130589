/** Errors as sentences for people. */

import { ApiError, TransportError, WaypostError } from "../../waypost.js";

const OF_THE_MODEL = ["model_failed", "model_timed_out", "model_busy", "prompt_too_long"];

/** @typedef {import("../../waypost.js").ChatEvent} ChatEvent */

/** @param {unknown} error */
export function errorText(error) {
  if (error instanceof TransportError) return error.message;
  if (error instanceof WaypostError && OF_THE_MODEL.includes(error.code)) return `${error.message} Your message is back in the box.`;
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.code === "daily_limit") return "The server’s free storage operations of today are used up: see the top of this page.";
  if (error.code === "thread_not_found") return "This thread no longer exists: it was deleted or has expired.";
  if (error.code === "message_not_found") return "The server no longer has this message, so the thread can’t be forked from it.";
  if (error.code === "page_not_found") return "This page no longer exists: it was deleted or has expired.";
  if (error.status === 429) return `Too many requests. Wait ${Math.ceil(error.retryAfterMs / 1000) || "a few"} s and try again.`;
  return error.message;
}

/** Whether the server requires an app key, or a different one. @param {unknown} error */
export function needsKey(error) {
  return error instanceof ApiError && ["token_required", "invalid_token"].includes(error.code);
}

/**
 * Why an answer is incomplete; null if it is complete.
 * @param {Extract<ChatEvent, { type: "done" }>} done
 * @param {string} fault the error that the server reported, or ""
 */
export function partialText({ finishReason, partial }, fault) {
  if (finishReason === "length") return "Cut off: the answer reached the length limit";
  if (finishReason === "error") return fault || "The model broke off";
  if (finishReason === "stopped") return "Stopped";
  return partial ? "Incomplete" : null;
}
