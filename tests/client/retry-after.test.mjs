/** A server that asks for hours of patience, because its storage is used up for the day: who waits, and how it ends. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Backoff, CancellableSleep } from "../../src/site/client/transport/backoff.js";
import { Chat, createSession, Host, joinSession } from "../../src/site/waypost.js";
import { installBrowser } from "./fake-browser.mjs";
import { FakeChat } from "./fake-chat.mjs";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

const HOUR_MS = 3_600_000;
const USED_UP = [503, { "retry-after": "7200" }, "daily_limit"];

let server;
let browser;

beforeEach(async () => {
  browser = installBrowser();
  server = await new FakeServer().start();
});

afterEach(() => {
  server.stop();
  browser.uninstall();
});

/** A host that is connected, with its states and errors. */
async function connected(tools = {}) {
  const host = new Host(await createSession({ baseUrl: server.url }), { storage: new FakeStorage() });
  host.log = [];
  host.on("error", ({ error }) => host.log.push(error));
  for (const [name, handler] of Object.entries(tools)) host.tool({ name }, handler);
  await host.connect();
  return host;
}

/** What browsers do to pages all day. */
function stir() {
  for (const type of ["online", "online"]) browser.window.dispatchEvent(new Event(type));
  browser.document.dispatchEvent(new Event("visibilitychange"));
  browser.show();
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

test("a host says for how long it waits and why, is stirred by no event of the browser, and comes back when asked", async () => {
  const host = await connected();
  server.faults.push(["GET /api/stream", ...USED_UP]);
  server.cut();
  const waiting = await until(() => host.state.delayMs > HOUR_MS && host.state);
  assert.deepEqual([waiting.state, waiting.error.code, waiting.error.status], ["waiting", "daily_limit", 503]);
  assert.ok(waiting.delayMs >= 2 * HOUR_MS && waiting.delayMs <= 2 * HOUR_MS + 60_000, `${waiting.delayMs}`);
  const count = server.sent("GET /api/stream").length;
  stir();
  await settled();
  assert.equal(server.sent("GET /api/stream").length, count);
  host.retry();
  await until(() => host.state.state === "online");
  await host.close();
});

test("a stream that ends because the day is used up is opened again after its retry, and says why until then", async () => {
  const host = await connected();
  const data = { code: "daily_limit", detail: "No list operations are left today.", retryAfter: 7200 };
  server.raw(`event: unavailable\nretry: 60000\ndata: ${JSON.stringify(data)}\n\n`);
  server.end();
  const { error, delayMs } = await until(() => host.state.state === "waiting" && host.state);
  assert.deepEqual([error.code, error.message], ["daily_limit", data.detail]);
  assert.ok(delayMs >= 60_000, `${delayMs}`);
  stir();
  await settled();
  assert.equal(server.sent("GET /api/stream").length, 1);
  host.retry();
  await until(() => host.state.state === "online");
  await host.close();
});

test("an answer that can't be stored today is not sent again with each new connection", async () => {
  const host = await connected({ add: () => 3 });
  server.faults.push(["POST /api/response", ...USED_UP]);
  server.send("request", { id: "r1", tool: "add" });
  await until(() => host.log.some(({ code }) => code === "daily_limit"));
  server.cut();
  await until(() => server.sent("GET /api/stream").length === 2 && host.state.state === "online");
  await settled();
  assert.equal(server.sent("POST /api/response").length, 1);
  await host.close();
});

test("a call that the server puts off beyond its deadline fails with the server's reason, and so does its cancellation", async () => {
  const guest = await joinSession("K7Q2M9XA", { baseUrl: server.url });
  server.faults.push(["POST /api/request", ...USED_UP]);
  await assert.rejects(guest.call("add", {}, { timeout: 60_000 }), { name: "ApiError", code: "daily_limit", retryAfterMs: 2 * HOUR_MS });
  assert.equal(server.sent("POST /api/request").length, 1);
  server.faults.push(["POST /api/request/r1/cancel", ...USED_UP]);
  await assert.rejects(guest.cancel("r1"), { code: "daily_limit" });
});

test("an answer whose stream can't be resumed today is given up with the server's reason", async () => {
  const model = await new FakeChat().start();
  const chat = new Chat({ threadId: "t1", baseUrl: model.url });
  const events = chat.send("Hi");
  await events.next();
  model.faults.push(["GET /api/chat/t1/stream", 503, { code: "daily_limit" }, { "retry-after": "7200" }]);
  model.cut("t1");
  const rest = (async () => {
    for await (const event of events) assert.equal(event.type, "waiting");
  })();
  await assert.rejects(rest, { name: "ApiError", code: "daily_limit" });
  model.stop();
});

test("clients that wait for the same moment come back over a minute", () => {
  const last = new Backoff({ random: () => 1 });
  assert.equal(last.next(2 * HOUR_MS), 2 * HOUR_MS + 60_000);
  assert.equal(new Backoff({ random: () => 0 }).next(2 * HOUR_MS), 2 * HOUR_MS);
  assert.equal(new Backoff({ random: () => 1 }).next(1000), 2000);
});

test("a sleep ends by the clock: also after the machine slept, and not before the server's time", async (context) => {
  let now = 1_800_000_000_000;
  context.mock.method(Date, "now", () => now);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const pass = (ms) => {
    // In steps, since a timer that is set during a step counts from its end.
    for (let left = ms; left > 0; left -= 5000) {
      now += Math.min(left, 5000);
      context.mock.timers.tick(Math.min(left, 5000));
    }
  };
  const sleep = new CancellableSleep();
  const slept = async (floorMs = 2 * HOUR_MS) => (await sleep.start(2 * HOUR_MS + 5000, floorMs), woken++);
  let woken = 0;
  const wakes = async (count) => {
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    assert.equal(woken, count);
  };

  slept();
  pass(HOUR_MS);
  sleep.hasten();
  await wakes(0);
  pass(HOUR_MS);
  sleep.hasten();
  await wakes(1);

  slept();
  // The lid is closed for a night: the clock goes on, the timers do not.
  now += 8 * HOUR_MS;
  context.mock.timers.tick(60_000);
  await wakes(2);

  slept();
  // The clock is put back by a day.
  now -= 24 * HOUR_MS;
  pass(2 * HOUR_MS);
  await wakes(2);
  pass(5000);
  await wakes(3);

  slept();
  sleep.wake();
  await wakes(4);
});
