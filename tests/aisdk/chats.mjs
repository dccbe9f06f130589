// Chats as the AI SDK makes them, unchanged: its transport and its chat, whose state is kept in memory here as
// @ai-sdk/react keeps it in React. Three versions, one of each release in use: a new one, one
// before it, and the oldest of this stream, which refuses what it does not know.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import * as v7 from "ai";
import * as v5 from "ai-v5";
import * as v6 from "ai-v6";

export const URL_OF_WAYPOST = process.env.WAYPOST_URL;
export const VERSIONS = { v7, v6, v5 };
const long = (words) => "long " + Array.from({ length: words }, (_, number) => `word${number}`).join(" ");
/** A message whose answer takes two seconds: where its end is needed. */
export const LONG = long(45);
/** One whose answer takes a minute and a half, and is stopped before: where something happens while it comes. */
export const ENDLESS = long(3000);
const PATIENCE_MS = 60_000;

class MemoryState {
  status = "ready";
  error = undefined;
  constructor(messages = []) {
    this.messages = messages;
  }
  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index, message) => (this.messages = this.messages.with(index, this.snapshot(message)));
  snapshot = (value) => structuredClone(value);
}

/** A transport as an app would make it; `options` as the SDK takes them. */
export function transport(options = {}, sdk = v7) {
  return new sdk.DefaultChatTransport({ api: `${URL_OF_WAYPOST}/api/chat`, ...options });
}

/** A chat as `useChat` holds it; `options` are those of the transport, or one is given; `init` has more of the chat's. `finished` has the arguments of `onFinish`, `errors` those of `onError`. */
export function newChat({ id = `thread-${randomUUID()}`, messages = [], sdk = v7, init = {}, ...options } = {}) {
  class MemoryChat extends sdk.AbstractChat {
    finished = [];
    errors = [];
    constructor() {
      super({
        ...init,
        id,
        transport: options.transport ?? transport(options, sdk),
        state: new MemoryState(messages),
        onFinish: (event) => this.finished.push(event),
        onError: (error) => this.errors.push(error),
      });
    }
  }
  return new MemoryChat();
}

/** The text of a message, or of a chat's last one. */
export function textOf(message) {
  const parts = (message.parts ?? message.lastMessage?.parts ?? []).filter((part) => part.type === "text");
  return parts.map((part) => part.text).join("");
}

/** Role and text of all that a chat shows. */
export const shown = (chat) => chat.messages.map((message) => [message.id, message.role, textOf(message)]);

/** Id, role and content of all that the server has of the thread that a message belongs to. */
export async function kept(metadata) {
  const reply = await fetch(`${URL_OF_WAYPOST}/api/conversations/${metadata.session_id}`);
  const { messages } = await reply.json();
  return messages.map((message) => [message.id, message.role, message.content]);
}

/** Stops the running answer of a thread on the server. */
export async function stopOnServer(threadId, body = {}) {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  return (await fetch(`${URL_OF_WAYPOST}/api/chat/${threadId}/stop`, init)).json();
}

/** What `look` gives as soon as that is true. */
export async function eventually(look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${look}`);
    await sleep(20);
  }
}

/** Waits until `text` is to be seen as part of the answer. */
export const heard = (chat, text) =>
  eventually(() => chat.lastMessage?.role === "assistant" && textOf(chat).includes(text));

export const firstAnswer = (message) => `You said: "${message}". That is the first message of yours that I know.`;

export const nextAnswer = (message, ...earlier) => {
  const listed = earlier.map((text, index) => `${index + 1}. "${text}"`).join(" ");
  return `You said: "${message}". Before that, you told me: ${listed}`;
};
