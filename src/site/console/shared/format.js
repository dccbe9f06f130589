/** Values as text for people. */

import { shorten } from "../../client/json.js";

/** Characters of a line. */
const MAX_LINE_CHARS = 2000;

/** Characters of a value: a screenshot has millions, and a log many values. */
const MAX_SHOWN_CHARS = 20_000;

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** @param {Date} date */
export function clockTime(date) {
  return CLOCK.format(date);
}

/** A session code in groups of four, as people read it; each but the last ends with a hyphen. @param {string} code */
export function codeParts(code) {
  const groups = code.match(/.{1,4}/g) ?? [];
  return groups.map((group, at) => (at < groups.length - 1 ? `${group}-` : group));
}

/** Remaining time as minutes and seconds, or hours and minutes. @param {number} ms */
export function timeLeft(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : timeLeft(ms);
}

/** JSON on one line, shortened: one line shows no more. @param {unknown} value */
export function inline(value) {
  const text = JSON.stringify(value, null, 1) ?? "";
  return shorten(text, MAX_LINE_CHARS).replace(/\n\s*/g, " ");
}

/** JSON for reading; of a large value, as much as a page can show. @param {unknown} value */
export function pretty(value) {
  const text = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  if (text.length <= MAX_SHOWN_CHARS) return text;
  const shown = shorten(text, MAX_SHOWN_CHARS);
  return `${shown}\n… and ${(text.length - shown.length).toLocaleString("en")} more characters`;
}

/** How long ago, in the largest unit that fits. @param {Date} date */
export function age(date) {
  const minutes = Math.floor((Date.now() - date.getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h ago` : `${Math.floor(minutes / 1440)} days ago`;
}

/** @param {number} bytes */
export function fileSize(bytes) {
  return bytes < 1000 ? `${bytes} bytes` : `${(bytes / 1000).toFixed(bytes < 10_000 ? 1 : 0)} kB`;
}
