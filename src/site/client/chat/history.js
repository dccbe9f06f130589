/** The stored history of a chat, and the missed events of an answer that it holds. */

import { answerParts } from "./answer-parts.js";

/** @typedef {import("./answer-events.js").ChatEvent} ChatEvent */
/** @typedef {import("./answer-events.js").ForkedFrom} ForkedFrom */
/** @typedef {import("./answer-events.js").AnswerProgress} AnswerProgress */
/** @typedef {import("./answer-parts.js").ToolEvent} ToolEvent */

/**
 * @typedef {object} ChatMessage
 * @property {string} id
 * @property {"user" | "assistant" | "system" | "tool"} role
 * @property {any} content
 * @property {string} timestamp
 * @property {string} [reasoning] what the model thought before its answer
 * @property {ToolEvent[]} [toolEvents] the tool calls of an answer, in order, with their places in its text
 * @property {boolean} [partial] the answer is incomplete, or still running
 * @property {{ id: string, name: string, args: any }[]} [toolCalls]
 * @property {string} [toolCallId]
 */

/**
 * @typedef {object} ChatHistory
 * @property {string | null} sessionId null: the thread has no messages yet
 * @property {ChatMessage[]} messages the last ones, oldest first
 * @property {boolean} truncated older messages were cut off, and are not kept
 * @property {string} [before] there are older messages that are kept: `history({ before })` reads them
 * @property {ForkedFrom} [forkedFrom]
 */

/**
 * The missed events of an answer that has ended; null if the history does not have it.
 * @param {AnswerProgress} progress what has been received; advanced to the end
 * @param {ChatHistory} history
 * @param {{ threadId: string, resourceId: string }} thread
 * @returns {ChatEvent[] | null}
 */
export function missedEvents(progress, { sessionId, messages }, { threadId, resourceId }) {
  const answer = findAnswer(progress, messages);
  if (!sessionId || !answer) return null;
  const { id: generationId, partial = false } = answer;
  /** @type {ChatEvent[]} */
  const events = [];
  if (!progress.generationId) {
    events.push({ type: "start", sessionId, threadId, resourceId, generationId, messageId: progress.messageId });
  }
  const whole = { delta: "", reasoning: "", tools: 0 };
  for (const part of answerParts({ ...answer, content: `${answer.content}` })) {
    const isText = part.type === "delta" || part.type === "reasoning";
    const news = isText ? progress.takeWhole(part.type, (whole[part.type] += part.text)) : progress.takeToolEvent(part, ++whole.tools);
    if (news) events.push(news);
  }
  const finishReason = partial ? "unknown" : "stop";
  events.push({
    type: "done",
    generationId,
    messageId: generationId,
    finishReason,
    partial,
    messageCount: messages.length,
  });
  return events;
}

/**
 * Finds the answer by its own id or, if its start was missed, by the question before it.
 * @param {AnswerProgress} progress
 * @param {ChatMessage[]} messages
 */
function findAnswer({ generationId, messageId }, messages) {
  if (generationId) return messages.find(({ id }) => id === generationId);
  const asked = messages.findIndex(({ id }) => id === messageId);
  return asked < 0 ? undefined : messages.slice(asked).find(({ role }) => role === "assistant");
}
