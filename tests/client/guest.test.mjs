/** A guest against a server that fails on purpose. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { joinSession } from "../../src/site/waypost.js";
import { retryAfter } from "../../src/site/client/transport/http.js";
import { cursorOf, FakeServer, until } from "./fake-server.mjs";

Math.random = () => 0;

let server;
let guest;

beforeEach(async () => {
  server = await new FakeServer().start();
  guest = await joinSession("k7q2-m9xa", { baseUrl: server.url });
});

afterEach(() => server.stop());

const requests = () => server.sent("POST /api/request");

/** Answer the request as its host would. */
async function answer(body) {
  await fetch(`${server.url}/api/response`, { method: "POST", body: JSON.stringify({ final: true, ...body }) });
}

test("joining is repeated with the same id while the network loses it, and each joining has an id of its own", async () => {
  const route = "POST /api/sessions/K7Q2M9XA/join";
  server.faults.push([route, "lose"], [route, "drop"]);
  await joinSession("K7Q2M9XA", { baseUrl: server.url });
  await joinSession("K7Q2M9XA", { baseUrl: server.url });
  const [lost, again, other] = server.sent(route).map(({ id }) => id);
  assert.match(lost, /^[0-9a-f]{32}$/);
  assert.equal(again, lost);
  assert.notEqual(other, lost);
});

test("joining gives up after three attempts, and immediately if the server refuses", async () => {
  const route = "POST /api/sessions/K7Q2M9XA/join";
  server.faults.push([route, "lose"], [route, "lose"], [route, "lose"], [route, 403, {}, "code_closed"]);
  await assert.rejects(joinSession("K7Q2M9XA", { baseUrl: server.url }), { name: "TransportError" });
  await assert.rejects(joinSession("K7Q2M9XA", { baseUrl: server.url }), { name: "ApiError", code: "code_closed" });
  assert.equal(server.sent(route).length, 4);
});

test("a call resolves to the tool's result", async () => {
  const call = guest.call("add", { a: 1 }, { id: "r1" });
  await until(() => requests().length > 0);
  await answer({ id: "r1", result: 3 });
  assert.equal(await call, 3);
  assert.equal(requests()[0].code, "K7Q2M9XA");
  assert.equal(requests()[0].headers.authorization, "Bearer guest-token");
});

test("a call that the network loses is sent again with the same id", async () => {
  const route = "POST /api/request";
  server.faults.push([route, "drop"], [route, "lose"], [route, 503], [route, 429]);
  const call = guest.call("add");
  const { id } = await until(() => requests()[3]);
  await answer({ id, result: "once" });
  assert.equal(await call, "once");
  assert.deepEqual(new Set(requests().map((body) => body.id)), new Set([id]));
});

test("the tool's own error is a ToolError with all it said", async () => {
  const call = guest.call("add", {}, { id: "r1" });
  await answer({ id: "r1", error: { code: "tool_error", message: "No.", data: [1] } });
  await assert.rejects(call, { name: "ToolError", code: "tool_error", message: "No.", data: [1] });
});

test("a refusal is an ApiError, and is not tried again", async () => {
  server.faults.push(["POST /api/request", 410, {}, "session_ended"]);
  await assert.rejects(guest.call("add"), { name: "ApiError", status: 410, code: "session_ended" });
  assert.equal(requests().length, 1);
});

test("a call without an answer times out, and names its id so that it can be taken up again", async () => {
  await assert.rejects(guest.call("add", {}, { id: "r1", timeout: 30 }), { name: "CallTimeout", code: "timeout", id: "r1" });
  await answer({ id: "r1", result: "late" });
  assert.equal(await guest.call("add", {}, { id: "r1" }), "late");
});

test("aborting cancels the request, through a failing network too", async () => {
  const stop = new AbortController();
  server.faults.push(["POST /api/request/r1/cancel", "drop"]);
  const call = guest.call("add", {}, { id: "r1", signal: stop.signal });
  await until(() => requests().length > 0);
  stop.abort();
  await assert.rejects(call, { name: "AbortError" });
  assert.equal(server.sent("POST /api/request/r1/cancel").length, 1);
});

test("progress of this call reaches its listener, each report once", async () => {
  const heard = [];
  const call = guest.call("add", {}, { id: "r1", onProgress: (value) => heard.push(value) });
  await until(() => server.sent("GET /api/stream").length === 1);
  server.send("response", { id: "r1", final: false, result: 1, cursor: cursorOf(901) });
  server.send("response", { id: "r1", final: false, result: 1, cursor: cursorOf(901), replay: true });
  server.send("response", { id: "other", final: false, result: 9, cursor: cursorOf(902) });
  server.send("response", { id: "r1", final: false, result: 2, cursor: cursorOf(903) });
  await until(() => heard.length === 2);
  await answer({ id: "r1", result: 3 });
  assert.equal(await call, 3);
  assert.deepEqual(heard, [1, 2]);
});

test("Retry-After holds seconds or a date", () => {
  const now = Date.parse("2026-11-20T12:00:00Z");
  assert.equal(retryAfter("7", now), 7000);
  assert.equal(retryAfter("Fri, 20 Nov 2026 12:00:05 GMT", now), 5000);
  assert.equal(retryAfter("Fri, 20 Nov 2026 11:00:00 GMT", now), 0);
  assert.equal(retryAfter("soon", now), 0);
  assert.equal(retryAfter(null, now), 0);
});
