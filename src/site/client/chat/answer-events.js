/** The events of an answer's stream. Text that is repeated after a reconnect is removed. */

import { TransportError } from "../errors.js";

/** @typedef {import("../transport/sse.js").SseEvent} SseEvent */

/**
 * The thread whose history an answer's thread began with, and the last message it took from there.
 * @typedef {{ threadId: string, messageId?: string }} ForkedFrom
 */

/**
 * `start`: the question is stored, and the answer begins. `messageId` is the question's id; `generationId` is the id that
 * the answer has in the history.
 * @typedef {{ type: "start", sessionId: string, threadId: string, resourceId: string, generationId: string, messageId: string, forkedFrom?: ForkedFrom }} ChatStart
 */

/**
 * `delta`: the next part of the text; `characters` is the length so far, in code points.
 * @typedef {{ type: "delta", text: string, characters: number }} ChatDelta
 */

/**
 * `reasoning`: the next part of what the model thinks before it answers; `characters` is its length so far.
 * @typedef {{ type: "reasoning", text: string, characters: number }} ChatReasoning
 */

/**
 * `error`: the model failed; `done` follows. `partial`: its text so far is stored; if not, neither is the question.
 * `retryAfter`: seconds after which to send it again, if the model's service says so.
 * @typedef {{ type: "error", code: string, message: string, partial: boolean, retryAfter?: number }} ChatError
 */

/**
 * `done`, the last event. `finishReason`: "stop" (complete), "stopped" (by `stop()` or an interruption),
 * "length", "error", or "unknown" (the end was missed; `partial` tells whether it was reached).
 * @typedef {{ type: "done", generationId: string, messageId: string, finishReason: "stop" | "stopped" | "length" | "error" | "unknown", partial: boolean, messageCount: number }} ChatDone
 */

/**
 * `waiting`: the connection is lost, and the client reconnects after `delayMs`; a program need not do anything.
 * @typedef {{ type: "waiting", delayMs: number, error: Error }} ChatWaiting
 */

/** @typedef {ChatStart | ChatReasoning | ChatDelta | ChatError | ChatDone | ChatWaiting} ChatEvent */

/** Thrown when the stream is that of another answer: ours is over. */
export class AnotherAnswer extends Error {}

/** How far one answer has been received. */
export class AnswerProgress {
  /** The id of our question, if any: an answer to another question is not ours. */
  messageId;
  generationId = "";
  isOver = false;
  #received = { delta: 0, reasoning: 0 };
  #hasGap = false;

  /** @param {string} [messageId] */
  constructor(messageId = "") {
    this.messageId = messageId;
  }

  get characters() {
    return this.#received.delta;
  }

  /** The event id to resume from; "" to start from the beginning. */
  get lastEventId() {
    const { delta, reasoning } = this.#received;
    return this.generationId && !this.#hasGap ? `${this.generationId}.${delta}${reasoning ? `r${reasoning}` : ""}` : "";
  }

  /**
   * The new part of an event from the wire; null if nothing is new.
   * @param {SseEvent} event
   * @returns {ChatEvent | null}
   */
  take({ type, data, lastEventId }) {
    if (!["start", "reasoning", "delta", "error", "done"].includes(type)) return null;
    const said = parse(type, data);
    if (type === "start") return this.#start(said);
    if (type === "delta" || type === "reasoning") return this.#part(type, said.text, lastEventId);
    if (type === "done") this.isOver = true;
    return { type, ...said };
  }

  /**
   * The new part of the answer's whole text, or of its whole reasoning; null if nothing is new.
   * @param {"delta" | "reasoning"} type
   * @param {string} text
   */
  takeWhole(type, text) {
    return this.#reach(type, [...text], 0);
  }

  /** @param {any} said @returns {ChatStart | null} */
  #start({ session_id, ...said }) {
    const isOurs = this.generationId
      ? said.generationId === this.generationId
      : [said.messageId, ""].includes(this.messageId);
    if (!isOurs) throw new AnotherAnswer();
    if (this.generationId) return null;
    this.generationId = said.generationId;
    this.messageId = said.messageId;
    return { type: "start", sessionId: session_id, ...said };
  }

  /**
   * @param {"delta" | "reasoning"} type
   * @param {string} text
   * @param {string} id of the event: `{generationId}.{characters so far}`, and `r{characters of the reasoning}`
   */
  #part(type, text, id) {
    const characters = [...text];
    const position = /\.(\d+)(?:r(\d+))?$/.exec(id);
    const end = position ? Number(position[type === "delta" ? 1 : 2] ?? 0) : NaN;
    const begin = Number.isNaN(end) ? this.#received[type] : end - characters.length;
    if (begin > this.#received[type]) {
      this.#hasGap = true;
      throw new TransportError("A piece of the answer is missing.");
    }
    return this.#reach(type, characters, begin);
  }

  /**
   * @param {"delta" | "reasoning"} type
   * @param {string[]} characters
   * @param {number} begin their position in the text or the reasoning
   * @returns {ChatDelta | ChatReasoning | null}
   */
  #reach(type, characters, begin) {
    const fresh = characters.slice(this.#received[type] - begin);
    if (fresh.length === 0) return null;
    this.#hasGap = false;
    this.#received[type] += fresh.length;
    return { type, text: fresh.join(""), characters: this.#received[type] };
  }
}

/**
 * @param {string} type
 * @param {string} data
 */
function parse(type, data) {
  try {
    return JSON.parse(data);
  } catch (error) {
    throw new TransportError(`An event of kind ${type} is not JSON.`, { cause: error });
  }
}
