/** `useGuest()` of the packed package, under StrictMode. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { useGuest } from "waypost/react";

import { FakeServer, until } from "./fake-server.mjs";
import { mount } from "./rendering.mjs";

let server;
let pages;

beforeEach(async () => {
  server = await new FakeServer().start();
  pages = [];
});

afterEach(() => {
  for (const page of pages) page.unmount();
  server.stop();
});

const joins = () => server.sent("POST /api/sessions/K7Q2M9XA/join").length;

function show(invite) {
  const page = mount(({ invite: given }) => useGuest(given, { baseUrl: server.url }), { invite });
  pages.push(page);
  return page;
}

test("it joins once, though it is mounted twice and used in two places, for a code may admit only the first guest", async () => {
  const [one, two] = [show("K7Q2M9XA"), show("K7Q2M9XA")];
  await until(() => one.now?.state === "joined" && two.now?.state === "joined");
  assert.deepEqual([one.all[0].state, joins(), one.now.guest === two.now.guest, one.now.session.tools], ["joining", 1, true, []]);
});

test("a call waits until it has joined", async () => {
  server.relay = (kind, body) => body;
  const page = show("K7Q2M9XA");
  await until(() => page.now?.state === "joining" && joins() === 1);
  const called = page.now.call("add", { a: 1 }, { id: "r1" });
  await until(() => server.sent("POST /api/request").length);
  await fetch(`${server.url}/api/response`, { method: "POST", body: JSON.stringify({ id: "r1", result: 3, final: true }) });
  assert.equal(await called, 3);
});

test("without an invite it waits for one, and what can't be done yet is refused", async () => {
  const page = show(null);
  await until(() => page.now);
  assert.equal(page.now.state, "idle");
  await assert.rejects(page.now.call("add"), { code: "not_joined" });
  await page.render({ invite: "K7Q2M9XA" });
  await until(() => page.now.state === "joined");
});

test("a session that is not there is an error, until `retry()`", async () => {
  server.faults = [["POST /api/sessions/K7Q2M9XA/join", 404, {}, "session_not_found"]];
  const page = show("K7Q2M9XA");
  await until(() => page.now?.state === "failed");
  assert.equal(page.now.error.code, "session_not_found");
  await assert.rejects(page.now.call("add"), { code: "session_not_found" });
  page.now.retry();
  await until(() => page.now.state === "joined");
  assert.equal(page.now.error, undefined);
});
