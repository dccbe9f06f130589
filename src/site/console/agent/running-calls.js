/** The agent's calls that have no answer yet, kept over a reload of the page: the same id again is the same call. */

import { keep, recall } from "../shared/storage.js";

const KEY = "waypost.calls";

/** More than this a page does not wait for. */
const MAX_CALLS = 20;

/** @typedef {{ code: string, id: string, tool: string, args: Record<string, unknown> }} RunningCall */

/** @param {RunningCall} call */
export function keepCall(call) {
  write([...read().filter(({ id }) => id !== call.id), call].slice(-MAX_CALLS));
}

/** @param {string} id */
export function forgetCall(id) {
  write(read().filter((call) => call.id !== id));
}

/** Those of the session `code`, oldest first. @param {string} code @returns {RunningCall[]} */
export function keptCalls(code) {
  return read().filter((call) => call.code === code);
}

/** @returns {RunningCall[]} */
function read() {
  try {
    const kept = JSON.parse(recall("sessionStorage", KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((call) => typeof call?.id === "string" && typeof call.tool === "string") : [];
  } catch {
    return [];
  }
}

/** @param {RunningCall[]} calls */
function write(calls) {
  keep("sessionStorage", KEY, JSON.stringify(calls));
}
