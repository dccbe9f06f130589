/** Lists of threads and pages: what is asked for, and what comes back. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { deleteThread, listThreads, Pages } from "../../src/site/waypost.js";
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
