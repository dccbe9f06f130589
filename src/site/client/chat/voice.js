/** Questions to a voice agent: the server keeps the history, the client sends only its id. */

import { Http } from "../transport/http.js";
import { getSessionId } from "./session-id.js";
import { ownOrigin } from "../session/session.js";

/** A model may think for long before it has said a word, and the answer comes whole. */
const TIMEOUT_MS = 150_000;

/**
 * @typedef {object} VoiceReply
 * @property {string} response
 * @property {string} sessionId
 * @property {number} messageCount messages that are remembered now
 */

/**
 * Ask. Not repeated by itself: a question that was lost on the way may have been answered and remembered.
 * @param {string} question
 * @param {{ sessionId?: string, baseUrl?: string, signal?: AbortSignal }} [options] `sessionId`: this tab's, by default
 * @returns {Promise<VoiceReply>} rejects with `ApiError` or `TransportError`
 */
export async function voice(question, { sessionId = getSessionId(), baseUrl = ownOrigin(), signal } = {}) {
  const options = { body: { question, sessionId }, signal, timeoutMs: TIMEOUT_MS };
  return (await new Http(baseUrl).json("POST", "/api/voice-agent/chat", options)).data;
}
