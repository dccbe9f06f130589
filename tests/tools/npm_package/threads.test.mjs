/** `useThreads()` of the packed package, under StrictMode. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { useThreads } from "waypost/react";

import { until } from "./fake-server.mjs";
import { mount } from "./rendering.mjs";

const realFetch = globalThis.fetch;
let requests;
let replies;
let page;
let number = 0;

/** The replies to come, by "METHOD /path": each used once, the last one of a list again and again. */
beforeEach(() => {
  requests = [];
  replies = {};
  globalThis.fetch = async (url, { method, headers, body }) => {
    const { pathname, searchParams } = new URL(url);
    const route = `${method} ${pathname}`;
    requests.push({ route, query: Object.fromEntries(searchParams), token: headers.get("authorization"), body: body && JSON.parse(body) });
    const [status, data] = replies[route].length > 1 ? replies[route].shift() : replies[route][0];
    return Response.json(data, { status });
  };
});

afterEach(() => {
  page?.unmount();
  globalThis.fetch = realFetch;
});

const thread = (threadId, more = {}) => ({ threadId, resourceId: "ada", sessionId: "s", createdAt: "", updatedAt: "", ...more });
const ids = () => page.now.threads.map(({ threadId }) => threadId);
const asked = (route) => requests.filter((request) => request.route === route);

async function shown(options = {}) {
  // A resource of its own: for a moment, a list outlives its component.
  const resourceId = `user-${++number}`;
  page = mount(() => useThreads(resourceId, { baseUrl: "https://w.example", ...options }));
  await until(() => page.now && !page.now.isLoading);
}

test("it reads the list once, though it is mounted twice, and the next page when it is asked to", async () => {
  replies["GET /api/sessions"] = [[200, { sessions: [thread("a"), thread("b")], cursor: "c1" }], [200, { sessions: [thread("b"), thread("c")] }]];
  await shown({ archived: false, limit: 2 });
  assert.deepEqual([page.all[0].isLoading, asked("GET /api/sessions").length, ids(), page.now.hasMore], [true, 1, ["a", "b"], true]);
  await page.now.loadMore();
  assert.deepEqual(asked("GET /api/sessions")[1].query, { resourceId: `user-${number}`, archived: "false", limit: "2", cursor: "c1" });
  assert.deepEqual([ids(), page.now.hasMore], [["a", "b", "c"], false]);
  await page.now.loadMore();
  assert.equal(asked("GET /api/sessions").length, 2);
});

test("what is done here is shown without reading the list again", async () => {
  replies["GET /api/sessions"] = [[200, { sessions: [thread("a"), thread("b")] }]];
  replies["POST /api/threads"] = [[201, { session: thread("c", { title: "New" }) }]];
  replies["PATCH /api/threads/a"] = [[200, { session: thread("a", { title: "Trip" }) }], [200, { session: thread("a", { archived: true }) }]];
  replies["DELETE /api/sessions"] = [[200, { success: true }]];
  await shown({ archived: false });
  assert.equal((await page.now.begin("c", { title: "New" })).title, "New");
  await page.now.change("a", { title: "Trip" });
  assert.deepEqual(page.now.threads.map(({ threadId, title }) => [threadId, title]), [["c", "New"], ["a", "Trip"], ["b", undefined]]);
  await page.now.change("a", { archived: true });
  assert.equal(await page.now.remove("b"), true);
  assert.deepEqual([ids(), asked("GET /api/sessions").length], [["c"], 1]);
});

test("a token is kept until it expires, and replaced when the server refuses it", async () => {
  let issued = 0;
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  replies["GET /api/sessions"] = [[200, { sessions: [] }], [401, { code: "token_expired" }], [200, { sessions: [thread("a")] }]];
  await shown({ token: async () => ({ token: `t${++issued}`, expiresAt }) });
  await page.now.refresh();
  assert.deepEqual(requests.map(({ token }) => token), ["Bearer t1", "Bearer t1", "Bearer t2"]);
  assert.deepEqual(ids(), ["a"]);
});

test("a token that stays refused is an error, and so is one that can't be fetched", async () => {
  replies["GET /api/sessions"] = [[401, { code: "invalid_token" }]];
  await shown({ token: "t" });
  assert.deepEqual([requests.length, page.now.error.code], [1, "invalid_token"]);
  page.unmount();
  await shown({ token: () => Promise.reject(new Error("Log in.")) });
  assert.deepEqual([requests.length, page.now.error.message], [1, "Log in."]);
});

test("an older list that comes late is dropped", async () => {
  replies["GET /api/sessions"] = [[200, { sessions: [thread("first")] }]];
  await shown();
  let goOn;
  const slow = new Promise((resolve) => (goOn = resolve));
  const usual = globalThis.fetch;
  const sent = new Promise((resolve) => {
    globalThis.fetch = async (...request) => (resolve(), await slow, usual(...request));
  });
  const late = page.now.refresh();
  await sent;
  globalThis.fetch = usual;
  replies["GET /api/sessions"] = [[200, { sessions: [thread("new")] }]];
  await page.now.refresh();
  replies["GET /api/sessions"] = [[200, { sessions: [thread("old")] }]];
  goOn();
  await late;
  await page.render({});
  assert.deepEqual(ids(), ["new"]);
});
