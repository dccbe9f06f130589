/** What the stream of an answer says, each thing once: pieces that come again after a reconnect are cut to what is new. */

import { TransportError } from "../errors.js";

/** @typedef {import("../transport/sse.js").SseEvent} SseEvent */

/**
 * The thread whose history an answer's thread began with, and the last message it took from there.
 * @typedef {{ threadId: string, messageId?: string }} ForkedFrom
 */

/**
 * `start`: what was asked is kept, and the answer begins; `messageId` is the question's, and `generationId` will be the
 * answer's own id in the history.
 * @typedef {{ type: "start", sessionId: string, threadId: string, resourceId: string, generationId: string, messageId: string, forkedFrom?: ForkedFrom }} ChatStart
 */

/**
 * `delta`: some more of the text; `characters` (code points) have been said with it.
 * @typedef {{ type: "delta", text: string, characters: number }} ChatDelta
 */

/**
 * `error`: the model broke off; `done` follows.
 * @typedef {{ type: "error", code: string, message: string, partial: boolean }} ChatError
 */

/**
 * `done`, the last event. `finishReason`: "stop" (said to its end), "stopped" (by `stop()` or an interruption),
 * "length", "error", or "unknown" (the end was missed; `partial` tells whether it was reached).
 * @typedef {{ type: "done", generationId: string, messageId: string, finishReason: "stop" | "stopped" | "length" | "error" | "unknown", partial: boolean, messageCount: number }} ChatDone
 */

/**
 * `waiting`: the connection is lost, and is tried again after `delayMs`; nothing for a program to do.
 * @typedef {{ type: "waiting", delayMs: number, error: Error }} ChatWaiting
 */

/** @typedef {ChatStart | ChatDelta | ChatError | ChatDone | ChatWaiting} ChatEvent */

/** The stream is of another answer: ours is over. */
export class AnotherAnswer extends Error {}

/** How far one answer has been heard. */
export class AnswerProgress {
  /** The question, if it is ours: what else begins in the thread is another answer. */
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

  /** What to come back with; "" to hear it from its beginning. */
  get lastEventId() {
    return this.generationId && !this.#hasGap ? `${this.generationId}.${this.#characters}` : "";
  }

  /**
   * What is new in an event of the wire; null if nothing is.
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
   * What is new in the whole text of the answer; null if nothing is.
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
   * @param {string} id of the event: `{generationId}.{characters said with it}`
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
   * @param {number} begin where they stand in the answer
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
