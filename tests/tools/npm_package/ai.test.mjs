/** `waypost/ai` of the packed package, with the AI SDK that is installed beside it. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { AbstractChat } from "ai";
import { toUIMessages, WaypostChatTransport } from "waypost/ai";

const realFetch = globalThis.fetch;
let requests;
let replies;

beforeEach(() => {
  requests = [];
  replies = [];
  globalThis.fetch = async (url, init) => {
    const token = new Headers(init.headers).get("authorization");
    requests.push({ url: `${url}`, method: init.method, token, credentials: init.credentials, body: init.body && JSON.parse(init.body) });
    return (replies.shift() ?? (() => answer("Hello")))();
  };
});

afterEach(() => (globalThis.fetch = realFetch));

/** An answer as the server streams it. */
function answer(text) {
  const parts = [{ type: "start", messageId: "m9" }, { type: "text-start", id: "t" }, { type: "text-delta", id: "t", delta: text }];
  const all = [...parts, { type: "text-end", id: "t" }, { type: "finish" }].map((part) => `data: ${JSON.stringify(part)}\n\n`);
  return new Response(`${all.join("")}data: [DONE]\n\n`, { headers: { "content-type": "text/event-stream" } });
}

const refusal = (status, code) => () => Response.json({ code, detail: "No." }, { status });
const said = (id, role) => ({ id, role, parts: [{ type: "text", text: id }] });

class MemoryState {
  status = "ready";
  error = undefined;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => (this.messages = [...this.messages, message]);
  popMessage = () => (this.messages = this.messages.slice(0, -1));
  replaceMessage = (index, message) => (this.messages = this.messages.with(index, this.snapshot(message)));
  snapshot = (value) => structuredClone(value);
}

/** A chat as `useChat` holds it. */
function newChat(options = {}, messages = []) {
  class MemoryChat extends AbstractChat {
    errors = [];
    constructor() {
      const transport = new WaypostChatTransport({ baseUrl: "https://w.example", ...options });
      super({ id: "a chat", transport, state: new MemoryState(messages), onError: (error) => this.errors.push(error.message) });
    }
  }
  return new MemoryChat();
}

test("a question goes to its server with the two messages before it, and what the chat says besides", async () => {
  const options = { resourceId: "ada", agent: "poet", session: async () => ({ code: "K7Q2M9XA" }), body: () => ({ more: 1 }), headers: { "x-a": "b" } };
  const chat = newChat(options, [said("q1", "user"), said("a1", "assistant"), said("q2", "user"), said("a2", "assistant")]);
  await chat.sendMessage({ text: "And?", messageId: undefined });
  assert.deepEqual([chat.status, chat.errors, chat.lastMessage.parts.at(-1).text], ["ready", [], "Hello"]);
  const [{ url, method, token, credentials, body }] = requests;
  assert.deepEqual([url, method, token, credentials], ["https://w.example/api/chat", "POST", null, "omit"]);
  const { messages, ...fields } = body;
  assert.deepEqual(fields, { id: "a chat", trigger: "submit-message", resourceId: "ada", agent: "poet", session: { code: "K7Q2M9XA" }, more: 1 });
  assert.deepEqual(messages.slice(0, 2).map(({ id }) => id), ["q2", "a2"]);
  assert.deepEqual([messages.length, messages[2].parts[0].text], [3, "And?"]);
});

test("a regenerated answer is asked for by its question", async () => {
  const chat = newChat({}, [said("q1", "user"), said("a1", "assistant"), said("q2", "user"), said("a2", "assistant")]);
  await chat.regenerate();
  const [{ body }] = requests;
  assert.deepEqual([body.trigger, body.messages.map(({ id }) => id)], ["regenerate-message", ["q1", "a1", "q2"]]);
  assert.ok(!("resourceId" in body) && !("session" in body));
});

test("a tab that is not there any more is left out", async () => {
  let tab = { code: "K7Q2M9XA" };
  const chat = newChat({ session: () => tab });
  await chat.sendMessage({ text: "one" });
  tab = null;
  await chat.sendMessage({ text: "two" });
  assert.deepEqual(requests.map(({ body }) => body.session), [{ code: "K7Q2M9XA" }, undefined]);
});

test("a token is kept until it expires, and replaced once when the server refuses it", async () => {
  let issued = 0;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const chat = newChat({ token: async () => ({ token: `t${++issued}`, expiresAt }) });
  await chat.sendMessage({ text: "one" });
  replies = [refusal(401, "token_expired")];
  await chat.sendMessage({ text: "two" });
  assert.deepEqual(requests.map(({ token }) => token), ["Bearer t1", "Bearer t1", "Bearer t2"]);
  assert.deepEqual(chat.errors, []);
  replies = [refusal(401, "token_expired"), refusal(401, "token_expired")];
  await chat.sendMessage({ text: "three" });
  assert.deepEqual([requests.length, chat.status, chat.errors.length], [5, "error", 1]);
});

test("a token about to expire is replaced before it is sent, and a text is asked for each time", async () => {
  let issued = 0;
  const soon = newChat({ token: () => ({ token: `t${++issued}`, expiresAt: new Date(Date.now() + 30_000).toISOString() }) });
  await soon.sendMessage({ text: "one" });
  await soon.sendMessage({ text: "two" });
  const text = newChat({ token: () => `t${++issued}` });
  await text.sendMessage({ text: "three" });
  await text.sendMessage({ text: "four" });
  const fixed = newChat({ token: "fixed" });
  replies = [refusal(401, "invalid_token")];
  await fixed.sendMessage({ text: "five" });
  assert.deepEqual(requests.map(({ token }) => token), ["Bearer t1", "Bearer t2", "Bearer t3", "Bearer t4", "Bearer fixed"]);
});

test("a token that can't be fetched is the chat's error, and is fetched again", async () => {
  let isLoggedIn = false;
  const chat = newChat({ token: async () => (isLoggedIn ? "t" : Promise.reject(new Error("Log in."))) });
  await chat.sendMessage({ text: "one" });
  assert.deepEqual([chat.status, chat.errors, requests], ["error", ["Log in."], []]);
  isLoggedIn = true;
  await chat.regenerate();
  assert.deepEqual([chat.status, requests[0].token], ["ready", "Bearer t"]);
});

test("a resume asks for the running answer, and two at once (StrictMode) show it once", async () => {
  replies = [() => new Response(null, { status: 204 })];
  const chat = newChat({ resourceId: "a b", token: "t" });
  await chat.resumeStream();
  assert.deepEqual(chat.messages, []);
  await Promise.all([chat.resumeStream(), chat.resumeStream()]);
  assert.deepEqual(chat.messages.map(({ id, parts }) => [id, parts.map(({ text }) => text)]), [["m9", ["Hello"]]]);
  for (const { url, token } of requests) assert.deepEqual([url, token], ["https://w.example/api/chat/a%20chat/stream?resourceId=a+b", "Bearer t"]);
});

test("the history of a chat is read in the SDK's form", async () => {
  const kept = { messages: [said("q1", "user")], running: null, truncated: false };
  replies = [() => Response.json(kept), refusal(403, "forbidden")];
  const transport = new WaypostChatTransport({ baseUrl: "https://w.example", resourceId: "ada", token: "t" });
  assert.deepEqual(await transport.history("a chat"), kept);
  const [{ url, token }] = requests;
  assert.deepEqual([url, token], ["https://w.example/api/chat/a%20chat?format=ui&resourceId=ada", "Bearer t"]);
  await assert.rejects(transport.history("a chat"), { code: "forbidden" });
});

test("it says what to write where its server is not known, and refuses what is no address", () => {
  assert.throws(() => new WaypostChatTransport(), { code: "no_base_url" });
  assert.throws(() => new WaypostChatTransport({ baseUrl: "/api" }), { code: "invalid_base_url" });
});

test("what the server renders for the first page is what the client makes of the same history", () => {
  const cases = JSON.parse(process.env.UI_MESSAGES);
  assert.ok(cases.length > 0);
  for (const { name, history, rendered } of cases) {
    assert.deepEqual(toUIMessages(history), rendered, name);
    assert.deepEqual(toUIMessages(history.messages), rendered, name);
  }
});
