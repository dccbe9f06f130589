/** Large results: they are sent once, fit into memory and storage, and never make a request run twice. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { MAX_RESULT_BYTES } from "../../src/site/client/host/tool-answer.js";
import { RequestStore } from "../../src/site/client/storage/request-store.js";
import { Http } from "../../src/site/client/transport/http.js";
import { createSession, Host, joinSession, Session } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

Math.random = () => 0;

const LARGE = "x".repeat(1_500_000);

let server;
let storage;
let hosts;

beforeEach(async () => {
  server = await new FakeServer().start();
  server.relay = (_kind, body) => body;
  server.waitMs = 5;
  storage = new FakeStorage();
  storage.quota = 5 * 1024 * 1024;
  hosts = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

/** A connected host whose tool `shoot` notes each run and returns what `result` says. */
async function connected(session, runs, result = () => LARGE) {
  const host = new Host(session, { storage });
  hosts.push(host);
  host.tool({ name: "shoot" }, (args, { restarted }) => (runs.push(restarted), result(args)));
  await host.connect();
  return host;
}

const finals = () => server.sent("POST /api/response").filter((body) => body.final);

test("a delivered answer that was too large to store does not run again after a reload", async () => {
  const session = await createSession({ baseUrl: server.url });
  session.save(storage);
  const runs = [];
  const first = await connected(session, runs);
  const delivered = new Promise((resolve) => first.on("delivered", resolve));
  server.send("request", { id: "r1", tool: "shoot", args: {} });
  await delivered;
  first.close();
  await connected(Session.restore(storage), runs);
  const cursor = server.send("request", { id: "r1", tool: "shoot", args: {}, replay: true });
  await until(() => server.sent("POST /api/ack").some(({ cursors }) => cursors.includes(cursor)));
  assert.deepEqual([runs, finals().length], [[false], 1]);
});

test("one that was not delivered before a reload runs again, as a request that was broken off", async () => {
  const session = await createSession({ baseUrl: server.url });
  session.save(storage);
  const runs = [];
  server.faults.push(...Array.from({ length: 50 }, () => ["POST /api/response", 503]));
  const first = await connected(session, runs);
  const answered = new Promise((resolve) => first.on("response", resolve));
  server.send("request", { id: "r1", tool: "shoot", args: {} });
  await answered;
  first.close();
  server.faults.length = 0;
  await connected(Session.restore(storage), runs);
  server.send("request", { id: "r1", tool: "shoot", args: {}, replay: true });
  await until(() => finals().some(({ result }) => result === LARGE));
  assert.deepEqual(runs, [false, true]);
});

test("what is stored stays small, and large answers of the past leave the memory", () => {
  const store = new RequestStore({ memory: "m" }, storage, assert.fail);
  for (let n = 0; n < 30; n++) {
    store.set(`r${n}`, { status: "answered", tool: "t", answer: { result: LARGE } });
    store.set(`r${n}`, { status: "answered", tool: "t", answer: { result: LARGE }, delivered: true });
  }
  assert.ok(storage.used < 5000);
  const kept = Array.from({ length: 30 }, (_, n) => store.find(`r${n}`)?.answer !== undefined);
  assert.deepEqual(kept, Array.from({ length: 30 }, (_, n) => n >= 30 - Math.floor(32_000_000 / 1_500_000)));
  assert.deepEqual(store.undelivered(), []);
  const loaded = new RequestStore({ memory: "m" }, storage, assert.fail);
  assert.deepEqual([loaded.find("r0"), loaded.find("r29")], [
    { status: "answered", tool: "t", delivered: true },
    { status: "answered", tool: "t", delivered: true },
  ]);
});

test("an encrypted session has three quarters of the size, and says so before it sends", async () => {
  const session = await createSession({ baseUrl: server.url, encrypted: true });
  const largest = (MAX_RESULT_BYTES / 4) * 3 - 1024 - 2;
  const host = await connected(session, [], ({ more }) => "x".repeat(largest + more));
  const guest = await joinSession(session.link);
  assert.equal((await guest.call("shoot", { more: 0 })).length, largest);
  const [{ result }] = finals();
  assert.ok(JSON.stringify(result).length <= MAX_RESULT_BYTES, `${JSON.stringify(result).length}`);
  await assert.rejects(guest.call("shoot", { more: 1 }), { code: "answer_too_large", message: /may have 6\.0\./ });
  assert.equal(host.state.state, "online");
});

test("a reply may take long, as long as it keeps coming; one that stops is broken off", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const [http, feed] = [new Http("http://a.invalid"), { pieces: null, signal: null }];
  t.mock.method(globalThis, "fetch", async (_url, { signal }) => {
    feed.signal = signal;
    return new Response(new ReadableStream({ start: (pieces) => void (feed.pieces = pieces) }));
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const reading = http.json("GET", "/a");
  await turn();
  for (const piece of ['["', "é", "é", '"]']) {
    feed.pieces.enqueue(new TextEncoder().encode(piece));
    await turn();
    t.mock.timers.tick(29_000);
  }
  feed.pieces.close();
  assert.deepEqual((await reading).data, ["éé"]);
  const broken = assert.rejects(http.json("GET", "/a"), { name: "TransportError" });
  await turn();
  feed.signal.addEventListener("abort", () => feed.pieces.error(feed.signal.reason));
  t.mock.timers.tick(30_000);
  await broken;
});

test("a large body has the time that a slow uplink needs, and a caller can end it at any moment", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const sent = [];
  t.mock.method(globalThis, "fetch", (_url, { signal }) => {
    sent.push(signal);
    return new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  });
  const http = new Http("http://a.invalid");
  const failed = assert.rejects(http.json("POST", "/a", { body: LARGE }), { name: "TransportError" });
  t.mock.timers.tick(60_000);
  assert.equal(sent[0].aborted, false);
  t.mock.timers.tick(2_000);
  await failed;
  const controller = new AbortController();
  const ended = assert.rejects(http.json("POST", "/a", { body: LARGE, signal: controller.signal }), { message: "enough" });
  controller.abort(new Error("enough"));
  await ended;
});
