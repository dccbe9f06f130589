/** Titles of threads, and their addresses on this page. */

import { plainText } from "../markdown/plain-text.js";

/** The most characters of a first message that become the thread's title: metadata is small. */
const TITLE_LENGTH = 48;

/** @param {string} threadId */
export function addressOf(threadId) {
  return `#chat=${encodeURIComponent(threadId)}`;
}

/**
 * A thread's title; if it has none, the one that its first message gave it, or its id.
 * @param {{ threadId: string, title?: string, metadata?: Record<string, any> }} thread
 */
export function titleOf({ threadId, title, metadata }) {
  if (title?.trim()) return title;
  return typeof metadata?.title === "string" && metadata.title.trim() ? metadata.title : threadId;
}

/** The most of a first message that is read for its title. */
const READ_LENGTH = 1000;

/** A title made of a first message, without the marks of its Markdown. @param {string} text */
export function titleFrom(text) {
  const line = [...(plainText(text.slice(0, READ_LENGTH)) || text.replace(/\s+/gu, " ").trim())];
  return line.length <= TITLE_LENGTH ? line.join("") : `${line.slice(0, TITLE_LENGTH - 1).join("").trimEnd()}…`;
}

/** A title for a fork. @param {string} title of its parent @param {Set<string>} taken */
export function nextTitle(title, taken) {
  const stem = title.replace(/ \(\d+\)$/, "");
  let number = 2;
  while (taken.has(`${stem} (${number})`)) number++;
  return `${stem} (${number})`;
}
