/** The history of a chat as messages of the AI SDK: the same as `GET /api/chat/{threadId}?format=ui` gives. */

import { answerParts } from "../client/chat/answer-parts.js";

/** @typedef {import("ai").UIMessage<UiMetadata>} UiMessage */
/** @typedef {import("../waypost.js").ChatHistory} ChatHistory */
/** @typedef {import("../waypost.js").ChatMessage} ChatMessage */

/** When a message was made, and whether it is an answer that is not finished. @typedef {{ createdAt: string, partial?: boolean }} UiMetadata */

/** In each part of a call that ran in a tab: the page that shows it has nothing to run. */
const RAN_THERE = { providerExecuted: true };

const NO_RESULT = "The answer ended before this call had a result. It is not known whether the tool ran.";

/** The longest type of a part that is named in a note. */
const MAX_NAMED_TYPE = 40;

const IMAGE_URL = /^data:(image\/(?:png|jpeg|gif|webp));base64,/;

/**
 * Messages for `useChat({ messages })`, and for what else takes messages of the AI SDK.
 * @param {ChatHistory | ChatMessage[]} history of `Chat.history()`
 * @returns {UiMessage[]} a tool's result is a part of the message that has the call
 */
export function toUIMessages(history) {
  const messages = Array.isArray(history) ? history : history.messages;
  const results = new Map(messages.filter(({ role }) => role === "tool").map((message) => [message.toolCallId, message]));
  return messages
    .filter(({ role }) => role !== "tool")
    .map((message) => {
      const { id, role, timestamp, partial } = message;
      const parts = message.toolEvents?.length ? steps(message) : plain(message, results);
      return /** @type {any} */ ({ id, role, parts: [...parts], metadata: { createdAt: timestamp, ...(partial && { partial }) } });
    });
}

/** @param {ChatMessage} message @param {Map<string | undefined, ChatMessage>} results */
function* plain({ content, reasoning, toolCalls = [] }, results) {
  if (reasoning) yield done("reasoning", reasoning);
  yield* contentParts(content);
  for (const { id, name, args } of toolCalls) {
    const part = { type: "dynamic-tool", toolName: name, toolCallId: id, input: args };
    const result = results.get(id);
    yield result ? { ...part, state: "output-available", output: result.content } : { ...part, state: "input-available" };
  }
}

/** @param {any} content */
function* contentParts(content) {
  if (!areParts(content)) {
    const text = textOf(content);
    if (text) yield done("text", text);
    return;
  }
  for (const part of content) {
    const [, mediaType] = (isImage(part) && IMAGE_URL.exec(part.image_url.url)) || [];
    if (part.type === "text" && typeof part.text === "string") yield done("text", part.text);
    else if (mediaType) yield { type: "file", mediaType, url: part.image_url.url };
    else yield { type: "data-part", data: part };
  }
}

/** The parts of an answer that called tools. Each reply of the model begins with a step. @param {ChatMessage} message */
function* steps({ content, reasoning, toolEvents = [] }) {
  const results = new Map(toolEvents.filter(({ kind }) => kind === "result").map((event) => [event.id, event]));
  const progress = new Map(toolEvents.filter(({ kind }) => kind === "progress").map(({ id, value }) => [id, value ?? null]));
  const step = { type: "step-start" };
  /** The step of the last call, if nothing was said since. @type {number | undefined} */
  let called = undefined;
  yield step;
  for (const part of answerParts({ content: `${content}`, reasoning, toolEvents })) {
    if (part.type === "delta" || part.type === "reasoning") {
      if (called !== undefined) yield step;
      called = undefined;
      yield done(part.type === "delta" ? "text" : "reasoning", part.text);
    } else if (part.type === "tool_call") {
      if (called !== undefined && called !== part.step) yield step;
      called = part.step;
      yield callPart(part, results.get(part.id));
    } else if (part.type === "tool_progress" && progress.has(part.id)) {
      // The last report takes the place of the first.
      yield { type: "data-tool-progress", id: part.id, data: { toolCallId: part.id, progress: progress.get(part.id) } };
      progress.delete(part.id);
    }
  }
  // As its stream ends.
  if (called !== undefined) yield step;
}

/**
 * @param {{ id: string, name: string, arguments: any }} call
 * @param {import("../waypost.js").ToolEvent | undefined} result
 */
function callPart({ id, name, arguments: input }, result) {
  const part = { type: "dynamic-tool", toolName: name, toolCallId: id, input, ...RAN_THERE };
  if (!result) return { ...part, state: "output-error", errorText: NO_RESULT };
  const value = result.value ?? null;
  if (result.isError) return { ...part, state: "output-error", errorText: errorText(value) };
  return { ...part, state: "output-available", output: value };
}

/** @param {any} value */
function errorText(value) {
  const message = value?.message;
  return typeof message === "string" && message ? message : textOf(value);
}

/** @param {"text" | "reasoning"} type @param {string} text */
function done(type, text) {
  return { type, text, state: "done" };
}

/** @param {any} content */
function textOf(content) {
  if (typeof content === "string") return content;
  if (!areParts(content)) return JSON.stringify(content);
  return content.map((/** @type {any} */ part) => (typeof part.text === "string" ? part.text : leftOut(part))).join("\n");
}

/** @param {any} content */
function areParts(content) {
  return Array.isArray(content) && content.length > 0 && content.every((part) => typeof part?.type === "string");
}

/** @param {{ type: string }} part */
function leftOut({ type }) {
  return `[A part of the type ${[...type].slice(0, MAX_NAMED_TYPE).join("")} was left out.]`;
}

/** @param {any} part */
function isImage(part) {
  const fields = Object.keys(part);
  return part.type === "image_url" && fields.length === 2 && typeof part.image_url?.url === "string";
}
