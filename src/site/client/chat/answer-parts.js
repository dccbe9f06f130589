/** An answer as the history has it, taken apart: text, reasoning and tool events in the order in which they came. */

/**
 * What happened to a tool call. `call`: the model called the tool `name`, and `value` are the arguments. `progress`: what the
 * tab reported meanwhile. `result`: the end of the call. All events of a call have its `id`.
 * `text`, `reasoning`: how many characters of the answer's text and reasoning (code points) come before it.
 * `step`: which of the model's turns within the answer made the call, counted from 0.
 * @typedef {object} ToolEvent
 * @property {"call" | "progress" | "result"} kind
 * @property {string} id
 * @property {string} [name]
 * @property {any} [value]
 * @property {boolean} [isError]
 * @property {number} [text]
 * @property {number} [reasoning]
 * @property {number} [step]
 */

/** @typedef {{ type: "delta", text: string } | { type: "reasoning", text: string }} TextPart */
/** @typedef {TextPart | import("./answer-events.js").ChatToolEvent} AnswerPart */

/**
 * The parts of an answer. Of what stands between two tool events, the reasoning comes first.
 * @param {{ content: string, reasoning?: string, toolEvents?: ToolEvent[] }} answer
 * @returns {Generator<AnswerPart, void, void>}
 */
export function* answerParts({ content, reasoning = "", toolEvents = [] }) {
  const thoughts = new Cutter("reasoning", reasoning);
  const text = new Cutter("delta", content);
  for (const event of toolEvents) {
    yield* thoughts.to(event.reasoning ?? 0);
    yield* text.to(event.text ?? 0);
    yield toolEvent(event);
  }
  yield* thoughts.to(Infinity);
  yield* text.to(Infinity);
}

/** @param {ToolEvent} event @returns {import("./answer-events.js").ChatToolEvent} */
function toolEvent({ kind, id, name = "", value = null, isError = false, step = 0 }) {
  if (kind === "call") return { type: "tool_call", id, name, arguments: value, step };
  return kind === "progress" ? { type: "tool_progress", id, progress: value } : { type: "tool_result", id, result: value, isError };
}

/** Cuts a text into parts from its beginning on. Positions are counted in code points. */
class Cutter {
  #type;
  #characters;
  #at = 0;

  /** @param {"delta" | "reasoning"} type @param {string} text */
  constructor(type, text) {
    this.#type = type;
    this.#characters = [...text];
  }

  /**
   * The part from the last position to this one, if it is further.
   * @param {number} position
   * @returns {Generator<TextPart, void, void>}
   */
  *to(position) {
    const text = this.#characters.slice(this.#at, position).join("");
    this.#at = Math.max(this.#at, position);
    if (text) yield { type: this.#type, text };
  }
}
