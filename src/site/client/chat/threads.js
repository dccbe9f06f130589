/** The threads of a resource (a person, an organisation: as the app defines it). */

import { ApiError } from "../errors.js";
import { Http } from "../transport/http.js";
import { ownOrigin } from "../server.js";

/** @typedef {import("./answer-events.js").ForkedFrom} ForkedFrom */

/**
 * @typedef {object} Thread
 * @property {string} threadId
 * @property {string} resourceId
 * @property {string} sessionId secret: owns its history, documents and pages
 * @property {string} createdAt
 * @property {string} updatedAt
 * @property {Record<string, any>} [metadata]
 * @property {ForkedFrom} [forkedFrom]
 * @property {string} [agent]
 * @property {string} [title]
 * @property {boolean} [archived]
 */

/**
 * @typedef {object} ThreadQuery
 * @property {number} [limit]
 * @property {string} [cursor] of the previous page
 * @property {Record<string, string>} [metadata] only threads with these values
 * @property {boolean} [archived] only threads that are archived, or only those that are not; by default both
 */

/**
 * Where the server is, and the key it may ask for.
 * @typedef {{ baseUrl?: string, appKey?: string, signal?: AbortSignal }} Server
 */

/**
 * Lists one page of the threads, most recently used first.
 * @param {string} resourceId
 * @param {ThreadQuery & Server} [options]
 * @returns {Promise<{ sessions: Thread[], count: number, cursor?: string }>} without `cursor`: the last page
 */
export async function listThreads(resourceId, options = {}) {
  const { limit, cursor, metadata = {}, archived, baseUrl = ownOrigin(), appKey, signal } = options;
  const filters = Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value]);
  const shown = archived === undefined ? undefined : `${archived}`;
  const query = { resourceId, limit, cursor, archived: shown, ...Object.fromEntries(filters) };
  return (await new Http(baseUrl, appKey).json("GET", "/api/sessions", { query, signal })).data;
}

/**
 * Begins a thread without a question, or finds the one of this name, which keeps what it has.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {{ title?: string, metadata?: Record<string, any>, agent?: string } & Server} [options] of a new thread
 * @returns {Promise<Thread>}
 */
export async function beginThread(resourceId, threadId, { title, metadata, agent, baseUrl = ownOrigin(), appKey, signal } = {}) {
  const body = { threadId, resourceId, title, metadata, agent };
  return (await new Http(baseUrl, appKey).json("POST", "/api/threads", { body, signal })).data.session;
}

/**
 * Reads a thread; null if there is none.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {Server} [server]
 * @returns {Promise<Thread | null>}
 */
export async function readThread(resourceId, threadId, { baseUrl = ownOrigin(), appKey, signal } = {}) {
  const options = { body: { threadId, resourceId }, signal };
  try {
    return (await new Http(baseUrl, appKey).json("POST", "/api/sessions/metadata", options)).data.session;
  } catch (error) {
    if (error instanceof ApiError && error.code === "thread_not_found") return null;
    throw error;
  }
}

/**
 * Renames or archives a thread, or replaces its metadata. That does not count as using it: its place in the list stays.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {{ title?: string, archived?: boolean, metadata?: Record<string, any> }} change what is left out stays
 * @param {Server} [server]
 * @returns {Promise<Thread>} rejects with `ApiError` `thread_not_found` if there is none
 */
export async function changeThread(resourceId, threadId, change, { baseUrl = ownOrigin(), appKey, signal } = {}) {
  const { title, archived, metadata } = change;
  const options = { body: { resourceId, title, archived, metadata }, signal };
  return (await new Http(baseUrl, appKey).json("PATCH", `/api/threads/${encodeURIComponent(threadId)}`, options)).data.session;
}

/**
 * Deletes a thread with its history, its documents and its pages. Its forks are kept.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {Server} [server]
 * @returns {Promise<boolean>} whether there was one
 */
export async function deleteThread(resourceId, threadId, { baseUrl = ownOrigin(), appKey, signal } = {}) {
  const options = { body: { threadId, resourceId }, signal };
  return (await new Http(baseUrl, appKey).json("DELETE", "/api/sessions", options)).data.success;
}
