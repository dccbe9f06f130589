/** The transport of a chat of the AI SDK to a Waypost server. */

import { DefaultChatTransport } from "ai";

import { ownOrigin } from "../client/server.js";
import { TokenSource } from "../tokens/token-source.js";
import { Http } from "../client/transport/http.js";

/** @typedef {import("ai").UIMessage} UIMessage */
/** @typedef {import("../tokens/token-source.js").Token} Token */
/** A tab whose tools the model may call: its session's code, or a guest's token. @typedef {{ code: string } | { token: string }} Tab */

/**
 * @template Value
 * @typedef {Value | (() => Value | Promise<Value>)} Resolvable a value, or a function that is called before each request
 */

/**
 * @typedef {object} TransportOptions
 * @property {string} [baseUrl] the server
 * @property {Token} [token] where the server asks for one
 * @property {string} [resourceId] whose threads they are; without it, the id of a chat alone opens its thread
 * @property {string} [agent]
 * @property {Resolvable<Tab | null | undefined>} [session] of a tab whose tools the model may call
 * @property {Resolvable<Record<string, string> | Headers>} [headers] further ones
 * @property {Resolvable<object>} [body] further fields
 * @property {typeof globalThis.fetch} [fetch] for streams, in place of the runtime's
 */

/** The messages before the question that the server looks at, to see which answer is replaced. */
const MESSAGES_BEFORE = 2;

/**
 * The stored messages of a chat, as the SDK has them, for the first rendering of a page. `running`: the id of the answer that
 * is being generated, which a resume brings whole; `truncated`: older messages are not kept any more.
 * @typedef {{ messages: UIMessage[], running: string | null, truncated: boolean }} KeptChat
 */

/**
 * A `DefaultChatTransport` that knows its server: it sends the question with the two messages before it instead of the whole
 * thread, and fetches a new token where one has expired. The id of a chat is the id of its thread.
 * @template {UIMessage} [Message=UIMessage]
 * @extends {DefaultChatTransport<Message>}
 */
export class WaypostChatTransport extends DefaultChatTransport {
  #baseUrl;
  #resourceId;
  #tokens;

  /** @param {TransportOptions} [options] */
  constructor({ baseUrl = ownOrigin(), token, resourceId, agent, session, headers, body, fetch } = {}) {
    // Throws a sentence for what is no address.
    const api = new URL("/api/chat", new Http(baseUrl).baseUrl).href;
    const tokens = new TokenSource(() => token);
    const whose = resourceId === undefined ? "" : `?${new URLSearchParams({ resourceId })}`;
    super({
      api,
      headers,
      credentials: "omit",
      fetch: sendingTokens(tokens, fetch),
      body: async () => ({ ...(await valueOf(body)), resourceId, agent, session: (await valueOf(session)) ?? undefined }),
      prepareSendMessagesRequest: ({ id, messages, trigger, messageId, body: fields }) => ({
        body: { ...fields, id, trigger, messageId, messages: needed(messages) },
      }),
      prepareReconnectToStreamRequest: ({ id }) => ({ api: `${api}/${encodeURIComponent(id)}/stream${whose}` }),
    });
    this.#baseUrl = baseUrl;
    this.#resourceId = resourceId;
    this.#tokens = tokens;
  }

  /**
   * Reads what a chat has stored: nothing, if it was never used.
   * @param {string} chatId
   * @param {{ signal?: AbortSignal }} [options]
   * @returns {Promise<KeptChat>} rejects with `ApiError` or `TransportError`
   */
  async history(chatId, { signal } = {}) {
    const options = { query: { format: "ui", resourceId: this.#resourceId }, signal };
    const path = `/api/chat/${encodeURIComponent(chatId)}`;
    return (await this.#tokens.with((token) => new Http(this.#baseUrl, token).json("GET", path, options))).data;
  }
}

/**
 * The question, and the messages before it that count.
 * @template {UIMessage} Message
 * @param {Message[]} messages
 */
function needed(messages) {
  const question = messages.findLastIndex(({ role }) => role === "user");
  return messages.slice(Math.max(0, question - MESSAGES_BEFORE));
}

/** @template Value @param {Resolvable<Value>} said @returns {Promise<Value>} */
async function valueOf(said) {
  return typeof said === "function" ? /** @type {() => Value} */ (said)() : said;
}

/**
 * @param {TokenSource} tokens
 * @param {typeof globalThis.fetch} [given]
 * @returns {typeof globalThis.fetch}
 */
function sendingTokens(tokens, given) {
  return async (url, init = {}) => {
    const send = (/** @type {string | undefined} */ token) => {
      const headers = new Headers(init.headers);
      if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
      return (given ?? globalThis.fetch)(url, { ...init, headers });
    };
    const token = await tokens.get();
    const response = await send(token);
    if (response.status !== 401) return response;
    const other = await tokens.another(token);
    return other === undefined ? response : send(other);
  };
}
