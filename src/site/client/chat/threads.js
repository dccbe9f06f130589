/** The threads of a resource (a person, an organisation: as the app defines it). */

import { Http } from "../transport/http.js";
import { ownOrigin } from "../session/session.js";

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
 */

/**
 * @typedef {object} ThreadQuery
 * @property {number} [limit]
 * @property {string} [cursor] of the previous page
 * @property {Record<string, string>} [metadata] only threads with these values
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
export async function listThreads(resourceId, { limit, cursor, metadata = {}, baseUrl = ownOrigin(), appKey, signal } = {}) {
  const filters = Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value]);
  const query = { resourceId, limit, cursor, ...Object.fromEntries(filters) };
  return (await new Http(baseUrl, appKey).json("GET", "/api/sessions", { query, signal })).data;
}

/**
 * Deletes a thread and its history. Its forks are kept.
 * @param {string} resourceId
 * @param {string} threadId
 * @param {Server} [server]
 * @returns {Promise<boolean>} whether there was one
 */
export async function deleteThread(resourceId, threadId, { baseUrl = ownOrigin(), appKey, signal } = {}) {
  const options = { body: { threadId, resourceId }, signal };
  return (await new Http(baseUrl, appKey).json("DELETE", "/api/sessions", options)).data.success;
}
