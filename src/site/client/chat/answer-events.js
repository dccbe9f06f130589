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
 * `tool_call`: the model calls a tool of the tab that the message named; its progress and its result follow, and the model
 * goes on from there. `id` is the call's; `step` counts the turns that the model takes within one answer, from 0.
 * @typedef {{ type: "tool_call", id: string, name: string, arguments: any, step: number }} ChatToolCall
 */

/**
 * `tool_progress`: what the tab reported while the call runs.
 * @typedef {{ type: "tool_progress", id: string, progress: any }} ChatToolProgress
 */

/**
 * `tool_result`: the end of the call. `isError`: the tool failed, or the person at the tab refused the call, say.
 * @typedef {{ type: "tool_result", id: string, result: any, isError: boolean }} ChatToolResult
 */

/** @typedef {ChatToolCall | ChatToolProgress | ChatToolResult} ChatToolEvent */

/**
 * `error`: the model failed; `done` follows. `partial`: its text so far is stored; if not, neither is the question.
 * `retryAfter`: seconds after which to send it again, if the model's service says so.
 * @typedef {{ type: "error", code: string, message: string, partial: boolean, retryAfter?: number }} ChatError
 */

/**
 * `done`, the last event. `finishReason`: "stop" (complete), "tool-calls" (it waits for tools of the page that asked), "stopped"
 * (by `stop()` or an interruption), "length", "error", or "unknown" (the end was missed; `partial` tells whether it was reached).
 * @typedef {{ type: "done", generationId: string, messageId: string, finishReason: "stop" | "tool-calls" | "stopped" | "length" | "error" | "unknown", partial: boolean, messageCount: number }} ChatDone
 */

/**
 * `waiting`: the connection is lost, and the client reconnects after `delayMs`; a program need not do anything.
 * @typedef {{ type: "waiting", delayMs: number, error: Error }} ChatWaiting
 */

/** @typedef {ChatStart | ChatReasoning | ChatDelta | ChatToolEvent | ChatError | ChatDone | ChatWaiting} ChatEvent */

/** @type {readonly string[]} */
const TOOL_EVENTS = ["tool_call", "tool_progress", "tool_result"];

/** @type {readonly string[]} */
const EVENTS = ["start", "reasoning", "delta", ...TOOL_EVENTS, "error", "done"];

/** Thrown when the stream is that of another answer: ours is over. */
export class AnotherAnswer extends Error {}

/** How far one answer has been received. */
export class AnswerProgress {
  /** The id of our question, if any: an answer to another question is not ours. */
  messageId;
  generationId = "";
  isOver = false;
  #received = { delta: 0, reasoning: 0, tools: 0 };
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
    if (!this.generationId || this.#hasGap) return "";
    const { delta, reasoning, tools } = this.#received;
    return `${this.generationId}.${delta}${reasoning ? `r${reasoning}` : ""}${tools ? `t${tools}` : ""}`;
  }

  /**
   * The new part of an event from the wire; null if nothing is new.
   * @param {SseEvent} event
   * @returns {ChatEvent | null}
   */
  take({ type, data, lastEventId }) {
    if (!EVENTS.includes(type)) return null;
    const said = parse(type, data);
    if (type === "start") return this.#start(said);
    if (type === "delta" || type === "reasoning") return this.#part(type, said.text, lastEventId);
    if (TOOL_EVENTS.includes(type)) return this.#toolEvent({ type, ...said }, lastEventId);
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

  /**
   * The same event; null if it is not new.
   * @param {ChatToolEvent} event
   * @param {number} count how many tool events the answer has up to this one
   */
  takeToolEvent(event, count) {
    if (count <= this.#received.tools) return null;
    this.#hasGap = false;
    this.#received.tools = count;
    return event;
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
   * @param {string} id of the event
   */
  #part(type, text, id) {
    const characters = [...text];
    const end = position(id)?.[type] ?? NaN;
    const begin = Number.isNaN(end) ? this.#received[type] : end - characters.length;
    this.#expect(type, begin);
    return this.#reach(type, characters, begin);
  }

  /** @param {any} event @param {string} id of the event @returns {ChatToolEvent | null} */
  #toolEvent(event, id) {
    const count = position(id)?.tools ?? this.#received.tools + 1;
    this.#expect("tools", count - 1);
    return this.takeToolEvent(event, count);
  }

  /** @param {"delta" | "reasoning" | "tools"} type @param {number} begin where the event begins */
  #expect(type, begin) {
    if (begin <= this.#received[type]) return;
    this.#hasGap = true;
    throw new TransportError("A piece of the answer is missing.");
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
 * How far a reader is who has the event with this id: `{generationId}.{characters of the text}`, then `r{characters of the
 * reasoning}` and `t{tool events}` where there are any. Null if it is not such an id.
 * @param {string} id
 */
function position(id) {
  const [, delta, reasoning = 0, tools = 0] = /\.(\d+)(?:r(\d+))?(?:t(\d+))?$/.exec(id) ?? [];
  return delta === undefined ? null : { delta: Number(delta), reasoning: Number(reasoning), tools: Number(tools) };
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
