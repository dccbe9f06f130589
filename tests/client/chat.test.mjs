/** A chat against a server that fails on purpose: every character once, whatever the connection does. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Chat } from "../../src/site/waypost.js";
import { FakeChat } from "./fake-chat.mjs";
import { until } from "./fake-server.mjs";

// Full jitter multiplies by this: without chance, every delay is its floor.
Math.random = () => 0;

const TEXT = "Zwölf 🥾 Wanderer, 日本語, e\u0301 und 👩‍👩‍👧: alles\n\nheil.\r\u2028\u0000 ";

let server;
let chat;
/** Aborted after the test: an answer that is not over is listened to for many minutes. */
let over;

beforeEach(async () => {
  server = await new FakeChat().start();
  chat = new Chat({ threadId: "t1", resourceId: "ada", baseUrl: server.url });
  over = new AbortController();
});

afterEach(() => {
  over.abort();
  server.stop();
});

const send = (by, message, options) => by.send(message, { signal: over.signal, ...options });

/** All events of an answer, gathered as they come. */
function gather(events) {
  const heard = { events: [], text: "", error: null };
  heard.over = (async () => {
    try {
      for await (const event of await events) {
        heard.events.push(event);
        if (event.type === "delta") heard.text += event.text;
      }
    } catch (error) {
      heard.error = error;
    }
  })();
  return heard;
}

const kinds = (heard) => heard.events.map(({ type }) => type);
const started = (heard) => until(() => heard.events.some(({ type }) => type === "start"));
const connections = () => server.sent("GET /api/chat/t1/stream");
const problem = (code, more) => ({ code, detail: `${code}.`, ...more });

test("an answer is start, deltas and done, and the request says all that was asked for", async () => {
  chat = new Chat({ threadId: "t1", resourceId: "ada", agent: "guide", appKey: "key", baseUrl: server.url });
  const heard = gather(send(chat, "Hi", { messageId: "m1", metadata: { title: "Trip" }, interrupt: true }));
  await started(heard);
  server.say("t1", "Good ");
  server.say("t1", "day");
  server.end("t1");
  await heard.over;
  assert.deepEqual(heard.events, [
    { type: "start", sessionId: "s-t1", threadId: "t1", resourceId: "ada", generationId: "g1", messageId: "m1" },
    { type: "delta", text: "Good ", characters: 5 },
    { type: "delta", text: "day", characters: 8 },
    { type: "done", generationId: "g1", messageId: "g1", finishReason: "stop", partial: false, messageCount: 2 },
  ]);
  const [{ headers, query, ...body }] = server.sent("POST /api/chat");
  assert.deepEqual(body, {
    message: "Hi",
    threadId: "t1",
    resourceId: "ada",
    agent: "guide",
    messageId: "m1",
    metadata: { title: "Trip" },
    interrupt: true,
  });
  assert.deepEqual([headers.authorization, query.format], ["Bearer key", "events"]);
  assert.equal(chat.sessionId, "s-t1");
});

for (const size of [1, 2, 3, 7]) {
  test(`frames that come in pieces of ${size} bytes are one answer`, async () => {
    const part = (bytes, at) => bytes.subarray(at * size, (at + 1) * size);
    server.chop = (bytes) => Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => part(bytes, at));
    const heard = gather(send(chat, "Hi"));
    await started(heard);
    for (const character of TEXT) server.say("t1", character);
    server.end("t1");
    await heard.over;
    assert.equal(heard.text, TEXT);
  });
}

test("a message that replaces names the one that it replaces, as the AI SDK does for an edited one", async () => {
  const first = gather(send(chat, "Hi", { messageId: "m1" }));
  await started(first);
  server.end("t1");
  await first.over;
  const session = { code: "K7Q2M9XA" };
  const heard = gather(send(chat, "Hello", { messageId: "m1", replace: true, session }));
  await started(heard);
  server.say("t1", "Hello!");
  server.end("t1");
  await heard.over;
  assert.equal(heard.text, "Hello!");
  const [, { headers, query, ...body }] = server.sent("POST /api/chat");
  const messages = [{ id: "m1", role: "user", parts: [{ type: "text", text: "Hello" }] }];
  assert.deepEqual(body, { id: "t1", resourceId: "ada", messageId: "m1", messages, session });
  assert.deepEqual((await chat.history()).messages.map(({ content }) => content), ["Hello", "Hello!"]);
});

test("a connection that breaks after any character resumes there", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  let said = 0;
  for (const character of TEXT) {
    server.say("t1", character);
    said++;
    await until(() => [...heard.text].length === said);
    server.cut("t1");
    await until(() => connections().length === said && server.answer("t1").listeners.size === 1);
  }
  server.end("t1");
  await heard.over;
  assert.equal(heard.text, TEXT);
  assert.deepEqual(kinds(heard).filter((type) => type !== "delta" && type !== "waiting"), ["start", "done"]);
  const ids = connections().map(({ headers }) => headers["last-event-id"]);
  assert.deepEqual(ids, [...TEXT].map((_, at) => `g1.${at + 1}`));
});

test("reasoning is apart from the text, once, wherever the connection breaks", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  const thought = () => heard.events.filter(({ type }) => type === "reasoning").map(({ text }) => text).join("");
  for (const character of "Hm 🥾") {
    server.think("t1", character);
    await until(() => thought().endsWith(character));
    server.cut("t1");
    await until(() => server.answer("t1").listeners.size === 1);
  }
  for (const character of "Yes") {
    server.say("t1", character);
    await until(() => heard.text.endsWith(character));
    server.cut("t1");
    await until(() => server.answer("t1").listeners.size === 1);
  }
  server.end("t1");
  await heard.over;
  assert.deepEqual([thought(), heard.text, heard.error], ["Hm 🥾", "Yes", null]);
  assert.equal(heard.events.findLast(({ type }) => type === "delta").characters, 3);
});

const TOOLS = [
  { kind: "call", id: "c1", name: "add_note", value: { text: "🥾" } },
  { kind: "call", id: "c2", name: "ask_person", value: {} },
  { kind: "progress", id: "c2", value: { progress: 1 } },
  { kind: "result", id: "c1", value: { notes: 1 } },
  { kind: "result", id: "c2", value: { code: "refused", message: "No." }, isError: true },
  { kind: "call", id: "c3", name: "add_note", value: null, step: 1 },
];
const TOLD = [
  { type: "tool_call", id: "c1", name: "add_note", arguments: { text: "🥾" }, step: 0 },
  { type: "tool_call", id: "c2", name: "ask_person", arguments: {}, step: 0 },
  { type: "tool_progress", id: "c2", progress: { progress: 1 } },
  { type: "tool_result", id: "c1", result: { notes: 1 }, isError: false },
  { type: "tool_result", id: "c2", result: { code: "refused", message: "No." }, isError: true },
  { type: "tool_call", id: "c3", name: "add_note", arguments: null, step: 1 },
];
/** Reasoning, text and tool events, as one who listened from the beginning heard them. */
const WHOLE = [
  { type: "reasoning", text: "Hm.", characters: 3 },
  { type: "delta", text: "Ich 🥾.", characters: 6 },
  ...TOLD.slice(0, 5),
  { type: "reasoning", text: " So.", characters: 7 },
  { type: "delta", text: "Und?", characters: 10 },
  TOLD[5],
];

/** Has the answer go through all of it; `after` is called with each event's number. */
async function goThrough(after) {
  const steps = [
    () => server.think("t1", "Hm."),
    () => server.say("t1", "Ich 🥾."),
    ...TOOLS.slice(0, 5).map((event) => () => server.happen("t1", event)),
    () => server.think("t1", " So."),
    () => server.say("t1", "Und?"),
    () => server.happen("t1", TOOLS[5]),
  ];
  for (const [number, step] of steps.entries()) {
    step();
    await after(number + 1);
  }
}

test("a message names the session whose tools the model may call", async () => {
  const heard = gather(send(chat, "Hi", { session: { code: "K7Q2M9XA" } }));
  await started(heard);
  assert.deepEqual(server.sent("POST /api/chat")[0].session, { code: "K7Q2M9XA" });
});

test("tool events come in order with the text, once, wherever the connection breaks", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  const news = () => heard.events.filter(({ type }) => !["start", "waiting", "done"].includes(type));
  await goThrough(async (count) => {
    await until(() => news().length === count);
    server.cut("t1");
    await until(() => server.answer("t1").listeners.size === 1);
  });
  server.end("t1");
  await heard.over;
  assert.deepEqual(news(), WHOLE);
  assert.equal(connections().at(-1).headers["last-event-id"], "g1.10r7t6");
});

for (const known of [0, 1, 4, 9]) {
  test(`what was missed after ${known} events comes from the history, in the same order`, async () => {
    server.replays = false;
    const heard = gather(send(chat, "Hi"));
    await started(heard);
    const news = () => heard.events.filter(({ type }) => !["start", "waiting", "done"].includes(type));
    if (known === 0) server.cut("t1");
    await goThrough(async (count) => {
      if (count !== known) return;
      await until(() => news().length === count);
      server.faults.push(["GET /api/chat/t1/stream", 503]);
      server.cut("t1");
    });
    server.end("t1");
    await heard.over;
    assert.deepEqual([news(), heard.error], [WHOLE, null]);
  });
}

test("a missing tool event is asked for again", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.happen("t1", TOOLS[0]);
  await until(() => kinds(heard).includes("tool_call"));
  const answer = server.answer("t1");
  for (const listener of answer.listeners) listener.write(`id: g1.0t3\nevent: tool_progress\ndata: {"id":"c1","progress":1}\n\n`);
  await until(() => kinds(heard).includes("waiting") && answer.listeners.size === 1);
  assert.equal(heard.events.some(({ type }) => type === "tool_progress"), false);
  for (const event of TOOLS.slice(1, 3)) server.happen("t1", event);
  await until(() => kinds(heard).includes("tool_progress"));
  assert.deepEqual(heard.events.filter(({ type }) => type.startsWith("tool_")), TOLD.slice(0, 3));
});

test("reasoning that was missed comes from the history", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.think("t1", "Hm. ");
  await until(() => kinds(heard).includes("reasoning"));
  server.cut("t1");
  server.think("t1", "So.");
  server.say("t1", "Yes");
  server.end("t1");
  await heard.over;
  assert.deepEqual(
    heard.events.filter(({ type }) => ["reasoning", "delta"].includes(type)).map(({ text }) => text),
    ["Hm. ", "So.", "Yes"],
  );
});

test("text produced while disconnected arrives too", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.say("t1", "one ");
  await until(() => heard.text === "one ");
  server.faults.push(["GET /api/chat/t1/stream", "drop"], ["GET /api/chat/t1/stream", 503]);
  const release = server.hold();
  server.cut("t1");
  server.say("t1", "two ");
  server.say("t1", "three");
  release();
  server.end("t1");
  await heard.over;
  assert.equal(heard.text, "one two three");
  assert.equal(heard.events.filter(({ type }) => type === "waiting").length, 3);
});

test("repeated text, whole or in part, is delivered once", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.say("t1", "ab🥾");
  await until(() => heard.text === "ab🥾");
  // After a restart a server may cut its deltas elsewhere.
  const answer = server.answer("t1");
  answer.pieces = [{ part: "text", end: 5, frame: `id: g1.5\nevent: delta\ndata: {"text":"ab🥾cd"}\n\n` }];
  server.cut("t1");
  await until(() => heard.text === "ab🥾cd");
  server.end("t1");
  await heard.over;
  assert.deepEqual(heard.events.at(-2), { type: "delta", text: "cd", characters: 5 });
});

test("after a gap, the answer is read from its beginning", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  const answer = server.answer("t1");
  answer.pieces = [1, 2, 3].map((end) => ({ part: "text", end, frame: `id: g1.${end}\nevent: delta\ndata: {"text":"${end}"}\n\n` }));
  for (const listener of answer.listeners) listener.write(answer.pieces[2].frame);
  await until(() => heard.text === "123");
  server.end("t1");
  await heard.over;
  assert.equal(heard.text, "123");
  assert.equal(connections()[0].headers["last-event-id"], undefined);
});

test("an answer that ended while the connection was away is completed from the history", async () => {
  server.replays = false;
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.say("t1", "Ab🥾");
  await until(() => heard.text === "Ab🥾");
  const release = server.hold();
  server.cut("t1");
  server.say("t1", "cd");
  server.end("t1");
  release();
  await heard.over;
  assert.equal(heard.text, "Ab🥾cd");
  assert.deepEqual(heard.events.at(-1), {
    type: "done",
    generationId: "g1",
    messageId: "g1",
    finishReason: "stop",
    partial: false,
    messageCount: 2,
  });
});

test("an answer whose end was missed says whether it is complete", async () => {
  server.replays = false;
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  const release = server.hold();
  server.cut("t1");
  server.say("t1", "Half");
  server.end("t1", "stopped");
  release();
  await heard.over;
  const { finishReason, partial } = heard.events.at(-1);
  assert.deepEqual([heard.text, finishReason, partial], ["Half", "unknown", true]);
});

test("a connection that breaks before the answer has begun finds it by its question", async () => {
  server.replays = false;
  const first = server.chop;
  server.chop = () => [];
  const heard = gather(send(chat, "Hi", { messageId: "m1" }));
  await until(() => server.answer("t1")?.listeners.size === 1);
  server.chop = first;
  const release = server.hold();
  server.say("t1", "All of it");
  server.cut("t1");
  server.end("t1");
  release();
  await heard.over;
  assert.deepEqual(kinds(heard), ["waiting", "start", "delta", "done"]);
  assert.equal(heard.text, "All of it");
});

test("the answer to another message is not treated as ours", async () => {
  const heard = gather(send(chat, "Hi", { messageId: "m1" }));
  await started(heard);
  server.say("t1", "Ours");
  await until(() => heard.text === "Ours");
  const release = server.hold();
  server.cut("t1");
  server.end("t1", "stopped");
  const other = gather(send(new Chat({ threadId: "t1", baseUrl: server.url }), "Me!", { messageId: "m2" }));
  await started(other);
  server.say("t1", "Theirs");
  release();
  await heard.over;
  assert.equal(heard.text, "Ours");
  assert.equal(heard.events.at(-1).partial, true);
  server.end("t1");
  await other.over;
  assert.equal(other.text, "Theirs");
});

test("an answer that is not stored anywhere is an error, in bounded time", async () => {
  server.replays = false;
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.histories.get("s-t1").length = 0;
  server.cut("t1");
  server.end("t1");
  await heard.over;
  assert.equal(heard.error.code, "answer_lost");
});

test("a refusal in the middle ends the answer with the server's error", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.faults.push(["GET /api/chat/t1/stream", 401, problem("token_required")]);
  server.cut("t1");
  await heard.over;
  assert.deepEqual([heard.error.name, heard.error.code], ["ApiError", "token_required"]);
});

test("an error of the model comes as an event, and the answer is marked", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.say("t1", "So");
  server.end("t1", "error", { code: "model_failed", message: "It broke off." });
  await heard.over;
  assert.deepEqual(kinds(heard), ["start", "delta", "error", "done"]);
  assert.equal(heard.events[2].message, "It broke off.");
  assert.equal(heard.events[3].partial, true);
});

test("a message to a thread that is being answered is refused with the running answer's id", async () => {
  server.faults.push(["POST /api/chat", 409, problem("answer_running", { generationId: "g7" })]);
  await assert.rejects(chat.send("Hi").next(), (error) => {
    assert.deepEqual([error.name, error.status, error.code], ["ApiError", 409, "answer_running"]);
    assert.equal(error.problem.generationId, "g7");
    return true;
  });
  assert.equal(server.sent("POST /api/chat").length, 1);
});

test("a model that fails before its first word is an event that says that nothing is stored", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.end("t1", "error", { code: "model_failed", message: "It is not there.", partial: false, retryAfter: 7 });
  await heard.over;
  assert.deepEqual(kinds(heard), ["start", "error", "done"]);
  assert.deepEqual([heard.events[1].partial, heard.events[1].retryAfter], [false, 7]);
});

const REFUSALS = { 400: "invalid_body", 429: "rate_limited", 503: "storage_unavailable" };

for (const [status, code] of Object.entries(REFUSALS).map(([status, code]) => [Number(status), code])) {
  test(`a problem before the first byte (${status}) is thrown, and nothing is sent again`, async () => {
    server.faults.push(["POST /api/chat", status, problem(code), { "retry-after": "7" }]);
    const refusal = { name: "ApiError", status, code, message: `${code}.`, retryAfterMs: 7000 };
    await assert.rejects(chat.send("Hi").next(), refusal);
    assert.equal(server.sent("POST /api/chat").length, 1);
  });
}

test("a message that may have been lost is not retried automatically", async () => {
  server.faults.push(["POST /api/chat", "drop"]);
  await assert.rejects(chat.send("Hi").next(), { name: "TransportError" });
  assert.equal(server.sent("POST /api/chat").length, 1);
});

test("a reply that is no stream is an error and not an empty answer", async () => {
  server.faults.push(["POST /api/chat", 200, {}]);
  server.replays = false;
  const events = chat.send("Hi");
  assert.equal((await events.next()).value.error.message, "What replied is not the stream of an answer.");
  await events.return();
});

test("resuming where nothing runs gives null", async () => {
  assert.equal(await chat.resume(), null);
  server.faults.push(["GET /api/chat/t1/stream", 404, problem("thread_not_found")]);
  assert.equal(await chat.resume(), null);
  server.faults.push(["GET /api/chat/t1/stream", 503, problem("storage_unavailable")]);
  await assert.rejects(chat.resume(), { status: 503 });
});

test("two tabs hear the same answer, also one that comes late and one that is cut off", async () => {
  const first = gather(send(chat, "Hi"));
  await started(first);
  server.say("t1", "from the ");
  const tab = new Chat({ threadId: "t1", resourceId: "ada", baseUrl: server.url });
  const second = gather(tab.resume({ signal: over.signal }));
  await until(() => second.text === "from the ");
  server.cut("t1");
  server.say("t1", "beginning");
  await until(() => first.text === second.text && first.text.endsWith("ing"));
  server.end("t1");
  await Promise.all([first.over, second.over]);
  assert.deepEqual(first.events.find(({ type }) => type === "start"), second.events[0]);
  assert.equal(second.text, "from the beginning");
});

test("stopping names the answer that was heard, so that a late stop hits no other", async () => {
  const heard = gather(send(chat, "Hi"));
  await started(heard);
  server.say("t1", "Enough");
  assert.deepEqual(await chat.stop(), { stopped: true, generationId: "g1" });
  await heard.over;
  assert.deepEqual([heard.text, heard.events.at(-1).finishReason], ["Enough", "stopped"]);
  gather(send(new Chat({ threadId: "t1", baseUrl: server.url }), "Again"));
  await until(() => server.answer("t1").id === "g2");
  assert.deepEqual(await chat.stop(), { stopped: false, generationId: null });
  assert.deepEqual(server.sent("POST /api/chat/t1/stop").map(({ generationId }) => generationId), ["g1", "g1"]);
  const late = new Chat({ threadId: "t1", baseUrl: server.url });
  assert.equal((await late.stop()).stopped, true);
});

test("aborting stops the listening, in the middle and in a pause, with the signal's reason", async () => {
  const listening = new AbortController();
  const heard = gather(send(chat, "Hi", { signal: listening.signal }));
  await started(heard);
  listening.abort();
  await heard.over;
  assert.equal(heard.error.name, "AbortError");
  await until(() => server.answer("t1").listeners.size === 0);

  const waiting = new AbortController();
  const other = gather(send(chat, "Hi", { signal: waiting.signal }));
  await until(() => server.answer("t1").id === "g2" && other.events.length > 0);
  server.faults.push(["GET /api/chat/t1/stream", 503, {}, { "retry-after": "600" }]);
  server.cut("t1");
  await until(() => kinds(other).filter((type) => type === "waiting").length === 2);
  waiting.abort();
  await other.over;
  assert.equal(other.error.name, "AbortError");
});

test("leaving the loop closes the connection", async () => {
  const events = chat.send("Hi");
  for await (const { type } of events) if (type === "start") break;
  await until(() => server.answer("t1").listeners.size === 0);
});

test("the history is found with a look-up, or without one where the session is known", async () => {
  assert.deepEqual(await chat.history(), { sessionId: null, messages: [], truncated: false });
  const heard = gather(send(chat, "Hi", { messageId: "m1" }));
  await started(heard);
  server.say("t1", "Yes");
  server.end("t1");
  await heard.over;
  const asked = server.sent("POST /api/sessions/metadata").length;
  const { messages } = await chat.history();
  assert.deepEqual(messages.map(({ id, content }) => `${id}: ${content}`), ["m1: Hi", "g1: Yes"]);
  const known = new Chat({ threadId: "t1", sessionId: "s-t1", baseUrl: server.url });
  assert.equal((await known.history()).messages.length, 2);
  assert.equal(server.sent("POST /api/sessions/metadata").length, asked);
  const other = new Chat({ threadId: "t1", resourceId: "ada", baseUrl: server.url });
  assert.equal((await other.history()).messages.length, 2);
  const { threadId, resourceId } = server.sent("POST /api/sessions/metadata").at(-1);
  assert.deepEqual([threadId, resourceId], ["t1", "ada"]);
});

test("a fork is a chat of its own with the parent's memory", async () => {
  gather(send(chat, "Hi"));
  await until(() => server.answer("t1"));
  server.end("t1");
  const fork = await chat.fork({ threadId: "t2", atMessageId: "m1", metadata: { title: "Branch" } });
  assert.deepEqual([fork.threadId, fork.resourceId, fork.sessionId], ["t2", "ada", "s-t2"]);
  assert.equal((await fork.history()).messages.length, 2);
  const { headers: _headers, query: _query, ...body } = server.sent("POST /api/chat/fork")[0];
  assert.deepEqual(body, {
    forkFromThreadId: "t1",
    threadId: "t2",
    resourceId: "ada",
    atMessageId: "m1",
    metadata: { title: "Branch" },
  });
  server.faults.push(["POST /api/chat/fork", 409, problem("thread_exists")]);
  await assert.rejects(chat.fork({ threadId: "t2" }), { status: 409, code: "thread_exists" });
});

test("the history is exported as text; a thread that has not begun has none", async () => {
  await assert.rejects(chat.export(), { code: "thread_not_found" });
  gather(send(chat, "# Hi"));
  await until(() => server.answer("t1"));
  server.say("t1", "*Yes*");
  assert.equal(await chat.export("markdown"), "# Hi\n*Yes*");
});

test("a thread's name may hold what stands for something in a URL", async () => {
  const odd = new Chat({ threadId: "a/b?c#d%20é", baseUrl: server.url });
  const heard = gather(send(odd, "Hi"));
  await started(heard);
  await odd.stop();
  await heard.over;
  assert.equal(heard.events.at(-1).finishReason, "stopped");
});
