/** What is read of a thread: the last page of its history, earlier pages, a running answer. */

import { ApiError } from "../../waypost.js";

/** @typedef {import("../../waypost.js").Chat} Chat */
/** @typedef {import("../../waypost.js").ChatHistory} ChatHistory */

/** How many messages are read at a time. */
const PAGE_SIZE = 50;

/** The last messages. @param {Chat} chat */
export function readLast(chat) {
  return chat.history({ limit: PAGE_SIZE });
}

/**
 * Reads the last messages and, unless this page already listens to it, the running answer.
 * @param {Chat} chat
 * @param {() => boolean} isAnswering
 * @param {AbortSignal} signal
 */
export async function look(chat, isAnswering, signal) {
  const resume = () => (isAnswering() ? null : chat.resume({ signal }));
  // In this order, so that an answer that ends in between is complete in the history.
  let events = await resume();
  let history = await readLast(chat);
  const last = history.messages.at(-1);
  if (!events && last && (last.role === "user" || last.partial)) {
    // An answer that started in between has its question in the history; it is running by now, or over.
    events = await resume();
    if (!events) history = await readLast(chat);
  }
  return { history, events };
}

/**
 * Reads the messages before one. Rejects if that one is not kept any more.
 * @param {{ chat: Chat | null, signal: AbortSignal }} thread
 * @param {string} before
 * @param {(error: unknown) => void} failed called with every other error
 * @returns {Promise<ChatHistory | null>} null: the thread was left, or it failed
 */
export async function readEarlier({ chat, signal }, before, failed) {
  try {
    const page = await chat?.history({ limit: PAGE_SIZE, before, signal });
    return signal.aborted || !page ? null : page;
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof ApiError && error.code === "message_not_found") throw error;
    failed(error);
    return null;
  }
}

/** Whether the server has a message that was sent. @param {Chat} chat @param {string} messageId */
export async function hasArrived(chat, messageId) {
  try {
    return (await readLast(chat)).messages.some(({ id }) => id === messageId);
  } catch {
    return false;
  }
}
