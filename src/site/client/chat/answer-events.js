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

/** @typedef {ChatStart | ChatDelta | ChatError | ChatDone | ChatWaiting} ChatEvent */

/** Thrown when the stream is that of another answer: ours is over. */
export class AnotherAnswer extends Error {}

/** How far one answer has been received. */
export class AnswerProgress {
  /** The id of our question, if any: an answer to another question is not ours. */
  messageId;
  generationId = "";
  isOver = false;
  #characters = 0;
  #hasGap = false;

  /** @param {string} [messageId] */
  constructor(messageId = "") {
    this.messageId = messageId;
  }

  get characters() {
    return this.#characters;
  }

  /** The event id to resume from; "" to start from the beginning. */
  get lastEventId() {
    return this.generationId && !this.#hasGap ? `${this.generationId}.${this.#characters}` : "";
  }

  /**
   * The new part of an event from the wire; null if nothing is new.
   * @param {SseEvent} event
   * @returns {ChatEvent | null}
   */
  take({ type, data, lastEventId }) {
    if (!["start", "delta", "error", "done"].includes(type)) return null;
    const said = parse(type, data);
    if (type === "start") return this.#start(said);
    if (type === "delta") return this.#delta(said.text, lastEventId);
    if (type === "done") this.isOver = true;
    return { type, ...said };
  }

  /**
   * The new part of the answer's whole text; null if nothing is new.
   * @param {string} text
   */
  takeWhole(text) {
    return this.#reach([...text], 0);
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
   * @param {string} text
   * @param {string} id of the event: `{generationId}.{characters so far}`
   */
  #delta(text, id) {
    const characters = [...text];
    const end = Number(/\.(\d+)$/.exec(id)?.[1] ?? NaN);
    const begin = Number.isNaN(end) ? this.#characters : end - characters.length;
    if (begin > this.#characters) {
      this.#hasGap = true;
      throw new TransportError("A piece of the answer is missing.");
    }
    return this.#reach(characters, begin);
  }

  /**
   * @param {string[]} characters
   * @param {number} begin their position in the answer
   * @returns {ChatDelta | null}
   */
  #reach(characters, begin) {
    const fresh = characters.slice(this.#characters - begin);
    if (fresh.length === 0) return null;
    this.#hasGap = false;
    this.#characters += fresh.length;
    return { type: "delta", text: fresh.join(""), characters: this.#characters };
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
