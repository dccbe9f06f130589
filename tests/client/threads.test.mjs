/** Lists of threads and pages: what is asked for, and what comes back. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { beginThread, changeThread, Chat, deleteResource, deleteThread, exportResource, listThreads, Pages, readThread } from "../../src/site/waypost.js";
import { FakeChat, reply } from "./fake-chat.mjs";

let server;
let baseUrl;

beforeEach(async () => {
  server = await new FakeChat().start();
  baseUrl = server.url;
});

afterEach(() => server.stop());

test("threads are listed page by page, filtered by metadata, with the app's key", async () => {
  server.page = { sessions: [{ threadId: "t1" }], count: 1, cursor: "next" };
  const page = await listThreads("ada & co", { limit: 5, metadata: { "a b": "x&y" }, appKey: "key", baseUrl });
  assert.deepEqual(page, server.page);
  await listThreads("ada", { cursor: page.cursor, baseUrl });
  const [first, second] = server.sent("GET /api/sessions");
  assert.deepEqual(first.query, { resourceId: "ada & co", limit: "5", "metadata.a b": "x&y" });
  assert.equal(first.headers.authorization, "Bearer key");
  assert.deepEqual(second.query, { resourceId: "ada", cursor: "next" });
  assert.equal(second.headers.authorization, undefined);
});

test("archived threads are listed, or all others, or both", async () => {
  for (const archived of [true, false, undefined]) await listThreads("ada", { archived, baseUrl });
  const queries = server.sent("GET /api/sessions").map(({ query }) => query.archived);
  assert.deepEqual(queries, ["true", "false", undefined]);
});

test("a thread is begun without a question, read, renamed and archived", async () => {
  const thread = { threadId: "a b/c", title: "Trip", archived: true };
  server.other = (route, body, response) => reply(response, route.startsWith("POST") ? 201 : 200, { session: thread });
  assert.deepEqual(await beginThread("ada", "a b/c", { title: "Trip", agent: "guide", appKey: "key", baseUrl }), thread);
  const [begun] = server.sent("POST /api/threads");
  assert.deepEqual([begun.threadId, begun.resourceId, begun.title, begun.agent], ["a b/c", "ada", "Trip", "guide"]);
  assert.equal(begun.headers.authorization, "Bearer key");
  assert.deepEqual(await changeThread("ada", "a b/c", { title: "", archived: false }, { baseUrl }), thread);
  const [{ headers, query, ...change }] = server.sent("PATCH /api/threads/a b/c");
  assert.deepEqual(change, { resourceId: "ada", title: "", archived: false });
  assert.equal(await readThread("ada", "t1", { baseUrl }), null);
  server.sessions.set("t1", thread);
  assert.deepEqual(await readThread("ada", "t1", { baseUrl }), thread);
  server.faults.push(["POST /api/sessions/metadata", 401, { code: "token_required" }]);
  await assert.rejects(readThread("ada", "t1", { baseUrl }), { code: "token_required" });
});

test("a history is read page by page, and one message of it deleted", async () => {
  server.sessions.set("t1", { threadId: "t1", sessionId: "s-t1" });
  server.histories.set("s-t1", [{ id: "m1" }, { id: "m2" }, { id: "m3" }]);
  const chat = new Chat({ threadId: "t1", baseUrl });
  const last = await chat.history({ limit: 2 });
  assert.deepEqual([last.messages.map(({ id }) => id), last.before, last.truncated], [["m2", "m3"], "m2", false]);
  const first = await chat.history({ limit: 2, before: last.before });
  assert.deepEqual([first.messages.map(({ id }) => id), first.before], [["m1"], undefined]);
  assert.deepEqual((await chat.history()).messages.length, 3);
  await chat.deleteMessage("m 2/?");
  assert.equal(server.sent("DELETE /api/conversations/s-t1/messages/m 2/?").length, 1);
  const unknown = new Chat({ threadId: "none", baseUrl });
  await unknown.deleteMessage("m1");
  assert.deepEqual(await unknown.history({ limit: 2 }), { sessionId: null, messages: [], truncated: false });
});

test("a resource is deleted by as many requests as it takes, and an error of one of them is thrown", async () => {
  const replies = [{ deleted: 2, done: false }, { deleted: 0, done: false }, { deleted: 1, done: true, visibleUntil: "later" }];
  server.other = (route, body, response) => reply(response, 200, replies.shift());
  assert.deepEqual(await deleteResource("ada & co", { appKey: "key", baseUrl }), { deleted: 3, visibleUntil: "later" });
  const sent = server.sent("DELETE /api/resources/ada & co");
  assert.deepEqual(sent.map(({ headers }) => headers.authorization), Array(3).fill("Bearer key"));
  replies.push({ deleted: 2, done: false });
  server.faults.push(["DELETE /api/resources/bob", 429, { code: "rate_limited" }]);
  await assert.rejects(deleteResource("bob", { baseUrl }), { code: "rate_limited" });
});

test("an export is one sequence of lines, goes on behind a cursor, and is never cut off unnoticed", async () => {
  const thread = (threadId) => ({ kind: "thread", thread: { threadId } });
  const parts = { "": [thread("t1"), { kind: "more", cursor: "c1" }], c1: [thread("t2"), { kind: "end", resourceId: "ada" }], bad: [thread("t3")] };
  server.text = (url) => parts[url.searchParams.get("cursor") ?? ""].map((line) => `${JSON.stringify(line)}\n`).join("");
  const read = async (options) => {
    const lines = [];
    for await (const line of exportResource("ada", { baseUrl, ...options })) lines.push(line);
    return lines;
  };
  assert.deepEqual(await read(), [...parts[""], ...parts.c1]);
  assert.deepEqual(await read({ cursor: "c1" }), parts.c1);
  await assert.rejects(read({ cursor: "bad" }), { name: "TransportError", message: /cut off/ });
  server.text = () => '{"kind":"thr';
  await assert.rejects(read(), { name: "TransportError", message: /not JSON/ });
});

test("deleting says whether there was such a thread", async () => {
  server.sessions.set("t1", {});
  assert.equal(await deleteThread("ada", "t1", { baseUrl }), true);
  assert.equal(await deleteThread("ada", "t1", { baseUrl }), false);
  const [{ threadId, resourceId }] = server.sent("DELETE /api/sessions");
  assert.deepEqual([threadId, resourceId], ["t1", "ada"]);
});

test("a refusal is an ApiError", async () => {
  server.faults.push(["GET /api/sessions", 401, { code: "token_required", detail: "An app key is needed." }]);
  await assert.rejects(listThreads("ada", { baseUrl }), { name: "ApiError", status: 401, message: "An app key is needed." });
});

test("pages are put, listed and deleted as the session's own", async () => {
  const kept = [];
  server.other = (route, body, response) => {
    if (route.startsWith("PUT")) kept.push({ intentId: route.split("/").at(-1), title: body.title });
    if (route.startsWith("DELETE")) kept.length = 0;
    if (route.startsWith("GET")) return reply(response, 200, { pages: kept, count: kept.length });
    reply(response, route.startsWith("PUT") ? 201 : 204, route.startsWith("PUT") ? kept[0] : undefined);
  };
  const pages = new Pages("s1", { baseUrl });
  const { intentId } = await pages.put({ html: "<p>Hi", title: "Hi" });
  assert.match(intentId, /^[0-9a-f]{32}$/);
  const [{ html, title, sessionId }] = server.sent(`PUT /api/pages/${intentId}`);
  assert.deepEqual([html, title, sessionId], ["<p>Hi", "Hi", "s1"]);
  assert.deepEqual(await pages.list(), [{ intentId, title: "Hi" }]);
  assert.equal(pages.url("a b"), `${baseUrl}/pages/a%20b`);
  await pages.delete(intentId);
  assert.equal(server.sent(`DELETE /api/pages/${intentId}`)[0].query.sessionId, "s1");
  assert.deepEqual(await pages.list(), []);
});
