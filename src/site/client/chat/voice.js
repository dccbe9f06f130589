/** Questions to a voice agent: the server keeps the history, the client sends only its id. */

import { Http } from "../transport/http.js";
import { getSessionId } from "./session-id.js";
import { ownOrigin } from "../server.js";

/** Long, because the answer arrives whole, and a model may think for long. */
const TIMEOUT_MS = 150_000;

/**
 * @typedef {object} VoiceReply
 * @property {string} response
 * @property {string} sessionId
 * @property {number} messageCount messages stored now
 * @property {boolean} [partial] the time was over before the model had finished
 */

/**
 * Asks a question. Not retried: if the connection fails, the question may already have been answered and stored.
 * @param {string} question
 * @param {{ sessionId?: string, session?: { code: string } | { token: string }, baseUrl?: string, signal?: AbortSignal }} [options]
 *   `sessionId`: of the conversation, this tab's by default. `session`: the tab whose tools the model may use.
 * @returns {Promise<VoiceReply>} rejects with `ApiError` or `TransportError`
 */
export async function voice(question, { sessionId = getSessionId(), session, baseUrl = ownOrigin(), signal } = {}) {
  const options = { body: { question, sessionId, session }, signal, timeoutMs: TIMEOUT_MS };
  return (await new Http(baseUrl).json("POST", "/api/voice-agent/chat", options)).data;
}
