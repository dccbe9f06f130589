/** A host against a server that fails on purpose: nothing lost, nothing run twice, nothing swallowed. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Backoff } from "../../src/site/client/transport/backoff.js";
import { SilenceTimeout } from "../../src/site/client/transport/silence-timeout.js";
import { createSession, Host, Session } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

// Full jitter multiplies by this: without chance, every delay is its floor.
Math.random = () => 0;

let server;
let session;
let hosts;

beforeEach(async () => {
  server = await new FakeServer().start();
  session = await createSession({ baseUrl: server.url, ttl: 300, label: "test" });
  hosts = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

/** A connected host, with the events it has emitted. */
async function connected(tools, storage = new FakeStorage()) {
  const host = new Host(session, { storage });
  hosts.push(host);
  host.log = [];
  for (const type of ["state", "request", "response", "delivered", "cancel", "gap", "error", "session"]) {
    host.on(type, (detail) => host.log.push({ type, ...detail }));
  }
  for (const [name, handler] of Object.entries(tools)) host.tool({ name }, handler);
  await host.connect();
  return host;
}

const answers = () => server.sent("POST /api/response").filter((body) => body.final);
const brief = ({ id, result, error }) => (error ? [id, error.code] : [id, result]);
const seen = (host, type) => host.log.filter((event) => event.type === type);

test("a session is opened with what was asked for, and its token travels in a header", async () => {
  assert.deepEqual([session.code, session.hostToken], ["K7Q2M9XA", "host-token"]);
  const [{ ttl, label }] = server.sent("POST /api/sessions");
  assert.deepEqual([ttl, label], [300, "test"]);
  await connected({ add: () => 1 });
  const [put] = server.sent("PUT /api/sessions/K7Q2M9XA/tools");
  assert.deepEqual(put.tools, [{ name: "add", inputSchema: { type: "object" } }]);
  const [stream] = server.sent("GET /api/stream");
  assert.equal(stream.headers.authorization, "Bearer host-token");
});

test("a request runs its handler, and the result is the answer", async () => {
  const host = await connected({ add: async ({ a, b }) => a + b });
  server.send("request", { id: "r1", tool: "add", args: { a: 1, b: 2 } });
  await until(() => seen(host, "delivered").length === 1);
  assert.deepEqual(answers().map(brief), [["r1", 3]]);
});

test("a repeat while the first run is going neither runs nor answers a second time", async () => {
  let runs = 0;
  let finish;
  const host = await connected({ slow: () => (runs++, new Promise((resolve) => (finish = resolve))) });
  for (let copy = 0; copy < 3; copy++) server.send("request", { id: "r1", tool: "slow" });
  await until(() => seen(host, "request").length === 3);
  finish("done");
  await until(() => seen(host, "delivered").length === 1);
  assert.equal(runs, 1);
  assert.deepEqual(answers().map(brief), [["r1", "done"]]);
});

test("a repeat after the answer gets the first answer again", async () => {
  let runs = 0;
  const host = await connected({ count: () => ++runs });
  server.send("request", { id: "r1", tool: "count" });
  await until(() => seen(host, "delivered").length === 1);
  server.send("request", { id: "r1", tool: "count", replay: true });
  await until(() => seen(host, "delivered").length === 2);
  assert.deepEqual(answers().map(brief), [["r1", 1], ["r1", 1]]);
  assert.deepEqual(seen(host, "request").map(({ replay, repeat }) => [replay, repeat]), [[false, false], [true, true]]);
});

test("a repeat with other arguments never runs, and gets the first answer", async () => {
  const paid = [];
  let finish;
  const host = await connected({ pay: ({ to }) => (paid.push(to), new Promise((resolve) => (finish = resolve))) });
  server.send("request", { id: "r1", tool: "pay", args: { to: "ada" } });
  server.send("request", { id: "r1", tool: "pay", args: { to: "mallory" } });
  await until(() => seen(host, "request").length === 2);
  finish("paid");
  await until(() => seen(host, "delivered").length === 1);
  server.send("request", { id: "r1", tool: "pay", args: { to: "mallory" }, replay: true });
  await until(() => seen(host, "delivered").length === 2);
  assert.deepEqual(paid, ["ada"]);
  assert.deepEqual(answers().map(brief), [["r1", "paid"], ["r1", "paid"]]);
});

test("a handler learns the trace of its call, and its answer belongs to that trace", async () => {
  const trace = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", tracestate: "congo=t61rcWkgMzE" };
  const host = await connected({ tell: (_args, { traceparent, tracestate }) => ({ traceparent, tracestate }) });
  server.send("request", { id: "r1", tool: "tell", ...trace });
  server.send("request", { id: "r2", tool: "tell" });
  await until(() => seen(host, "delivered").length === 2);
  const [traced, plain] = ["r1", "r2"].map((id) => answers().find((answer) => answer.id === id));
  assert.deepEqual([traced.result, plain.result], [trace, {}]);
  const headers = ({ headers: { traceparent, tracestate } }) => ({ traceparent, tracestate });
  assert.deepEqual([headers(traced), plain.headers.traceparent], [trace, undefined]);
});

test("answers are remembered across a reload, also one that was not delivered", async () => {
  const storage = new FakeStorage();
  let runs = 0;
  const first = await connected({ count: () => ++runs }, storage);
  server.faults.push(["POST /api/response", "drop"], ["POST /api/response", 503, { "retry-after": "60" }]);
  server.send("request", { id: "r1", tool: "count" });
  await until(() => seen(first, "error").length === 2);
  first.close();
  const second = await connected({ count: () => ++runs }, storage);
  await until(() => seen(second, "delivered").length === 1);
  server.send("request", { id: "r1", tool: "count", replay: true });
  await until(() => seen(second, "delivered").length === 2);
  assert.equal(runs, 1);
  assert.deepEqual(answers().at(-1).result, 1);
});

test("a handler that a reload has interrupted runs again, with `restarted` set", async () => {
  const storage = new FakeStorage();
  const first = await connected({ slow: () => new Promise(() => {}) }, storage);
  server.send("request", { id: "r1", tool: "slow" });
  await until(() => seen(first, "request").length === 1);
  first.close();
  const second = await connected({ slow: (_args, { restarted }) => ({ restarted }) }, storage);
  server.send("request", { id: "r1", tool: "slow", replay: true });
  await until(() => seen(second, "delivered").length === 1);
  assert.deepEqual(answers().at(-1).result, { restarted: true });
});

test("a page that is loaded again comes back with the cursor, so that order holds over a reload", async () => {
  const storage = new FakeStorage();
  const first = await connected({ add: () => 7 }, storage);
  server.send("request", { id: "r1", tool: "add" });
  await until(() => seen(first, "delivered").length === 1);
  first.close();
  await connected({ add: () => 7 }, storage);
  const [before, after] = server.sent("GET /api/stream").map((stream) => stream.headers["last-event-id"]);
  assert.equal(before, undefined);
  assert.match(after, /\S/);
});

test("a request that came a thousand requests ago is still known", async () => {
  const ran = [];
  const host = await connected({ note: ({ n }) => void ran.push(n) });
  for (let n = 0; n <= 1000; n++) server.send("request", { id: `r${n}`, tool: "note", args: { n } });
  server.send("request", { id: "r0", tool: "note", args: { n: 0 }, replay: true });
  await until(() => seen(host, "request").length === 1002);
  assert.equal(ran.length, 1001);
});

test("an answer is sent again until it is acknowledged: lost, refused for now, too often", async () => {
  const host = await connected({ add: () => 7 });
  const route = "POST /api/response";
  server.faults.push([route, "drop"], [route, "lose"], [route, 503], [route, 429, { "retry-after": "0" }]);
  server.send("request", { id: "r1", tool: "add" });
  await until(() => seen(host, "delivered").length === 1);
  assert.equal(seen(host, "error").length, 4);
  assert.deepEqual(answers().at(-1).result, 7);
});

test("exceptions, unknown tools and results that are no JSON become error answers", async () => {
  const host = await connected({
    fails: () => {
      throw Object.assign(new Error("No such hut."), { data: { hut: 4 } });
    },
    rejects: () => Promise.reject("plain text"),
    cyclic: () => {
      const loop = {};
      loop.loop = loop;
      return loop;
    },
    nothing: () => undefined,
  });
  for (const tool of ["fails", "rejects", "cyclic", "nothing", "absent"]) server.send("request", { id: tool, tool });
  await until(() => seen(host, "delivered").length === 5);
  const byId = Object.fromEntries(answers().map((body) => [body.id, body]));
  assert.deepEqual(byId.fails.error, { code: "tool_error", message: "No such hut.", data: { hut: 4 } });
  assert.deepEqual(byId.rejects.error, { code: "tool_error", message: "plain text" });
  assert.equal(byId.cyclic.error.code, "tool_error");
  assert.equal(byId.nothing.result, null);
  assert.equal(byId.absent.error.code, "unknown_tool");
});

test("an answer that the server will never take is replaced by an error that says so", async () => {
  const host = await connected({ big: () => "x".repeat(1000) });
  server.faults.push(["POST /api/response", 413]);
  server.send("request", { id: "r1", tool: "big" });
  await until(() => seen(host, "delivered").length === 1);
  assert.equal(answers().at(-1).error.code, "answer_too_large");
});

test("progress comes before the answer, the latest of what waits, and never after it", async () => {
  let later;
  const host = await connected({
    steps: async (_args, { progress }) => {
      later = progress;
      for (const step of [1, 2, 3, 4]) progress(step);
      return "done";
    },
  });
  server.send("request", { id: "r1", tool: "steps" });
  await until(() => seen(host, "delivered").length === 1);
  later(5);
  const sent = server.sent("POST /api/response").map(({ result, final }) => [result, final]);
  assert.deepEqual(sent.at(-1), ["done", true]);
  assert.deepEqual(sent[0], [1, false]);
  assert.equal(sent.length, 2);
});

test("a cancelled handler gets an abort signal and sends nothing; the cancel is acknowledged", async () => {
  let signal;
  const host = await connected({
    slow: (_args, context) => new Promise((resolve) => {
      signal = context.signal;
      signal.addEventListener("abort", () => resolve("too late"));
    }),
  });
  server.send("request", { id: "r1", tool: "slow" });
  await until(() => signal);
  const cursor = server.send("cancel", { id: "r1" });
  await until(() => server.sent("POST /api/ack").length === 1);
  assert.ok(signal.aborted);
  assert.deepEqual(server.sent("POST /api/ack")[0].cursors, [cursor]);
  const repeat = server.send("request", { id: "r1", tool: "slow", replay: true });
  await until(() => server.sent("POST /api/ack").length === 2);
  assert.deepEqual(server.sent("POST /api/ack")[1].cursors, [repeat]);
  assert.deepEqual(answers(), []);
  assert.equal(seen(host, "cancel").length, 1);
});

test("a stream that breaks is opened again with the cursor of the last event", async () => {
  const host = await connected({ add: () => 1 });
  const cursor = server.send("session", { expiresAt: "2027-01-01T00:00:00.000Z" });
  await until(() => seen(host, "session").length === 2);
  assert.equal(session.expiresAt.toISOString(), "2027-01-01T00:00:00.000Z");
  server.cut();
  await until(() => server.sent("GET /api/stream").length === 2);
  assert.equal(server.sent("GET /api/stream")[1].headers["last-event-id"], cursor);
  assert.equal(server.sent("PUT /api/sessions/K7Q2M9XA/tools").length, 1);
});

test("a stream that the server ends is continued immediately, and its host stays online", async () => {
  const host = await connected({ add: () => 1 });
  const cursor = server.send("session", {});
  await until(() => seen(host, "session").length === 2);
  server.end();
  await until(() => seen(host, "session").length === 3);
  assert.equal(server.sent("GET /api/stream")[1].headers["last-event-id"], cursor);
  assert.deepEqual(seen(host, "state").map(({ state }) => state), ["connecting", "online", "online"]);
});

test("a call that runs while its stream is continued runs once, and is answered once", async () => {
  let runs = 0;
  let finish;
  await connected({ slow: () => (runs++, new Promise((resolve) => (finish = resolve))) });
  server.send("request", { id: "r1", tool: "slow" });
  await until(() => runs === 1);
  server.end();
  await until(() => server.sent("GET /api/stream").length === 2);
  server.send("request", { id: "r1", tool: "slow", replay: true });
  finish("done");
  await until(() => answers().length === 1);
  assert.deepEqual([runs, answers().map(brief)], [1, [["r1", "done"]]]);
});

test("a server that ends each stream immediately is asked with pauses, and that is reported", async () => {
  const host = await connected({});
  server.end();
  await until(() => server.sent("GET /api/stream").length === 2 && seen(host, "session").length === 2);
  server.end();
  await until(() => seen(host, "state").some(({ state }) => state === "waiting"));
});

test("a stream that the server ends with a longer retry is continued after it, and not before", async () => {
  const host = await connected({});
  server.raw("event: session\nretry: 60000\ndata: {}\n\n");
  await until(() => seen(host, "session").length === 2);
  server.end();
  const waiting = await until(() => seen(host, "state").find(({ state }) => state === "waiting"));
  assert.ok(waiting.delayMs >= 60_000, `${waiting.delayMs}`);
});

test("a stream that can't be continued is reported as lost", async () => {
  const host = await connected({});
  server.faults.push(["GET /api/stream", 503]);
  server.end();
  await until(() => seen(host, "state").length === 5);
  const states = seen(host, "state").map(({ state }) => state);
  assert.deepEqual(states, ["connecting", "online", "waiting", "connecting", "online"]);
});

test("a cursor that the server refuses is dropped", async () => {
  await connected({});
  server.faults.push(["GET /api/stream", 400, {}, "invalid_cursor"]);
  server.cut();
  await until(() => server.sent("GET /api/stream").length === 3);
  assert.equal(server.sent("GET /api/stream")[2].headers["last-event-id"], undefined);
});

test("a stream that is refused for now is tried again, not before Retry-After has passed", async () => {
  const host = await connected({});
  server.faults.push(["GET /api/stream", 429, { "retry-after": "1" }]);
  server.cut();
  await until(() => seen(host, "state").some(({ state, delayMs }) => state === "waiting" && delayMs >= 1000));
  host.retry();
  await until(() => host.state.state === "online");
});

for (const status of [401, 403, 404, 410]) {
  test(`the client stops on ${status} and says so`, async () => {
    const host = await connected({});
    server.faults.push(["GET /api/stream", status, {}, "gone"]);
    server.cut();
    const end = await until(() => host.state.state === "ended" && host.state);
    assert.deepEqual([end.reason, end.error.status], ["gone", status]);
    const count = server.sent("GET /api/stream").length;
    host.retry();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(server.sent("GET /api/stream").length, count);
  });
}

test("after the end event the client does not reconnect, and running handlers are aborted", async () => {
  let signal;
  const host = await connected({ slow: (_args, context) => new Promise(() => (signal = context.signal)) });
  server.send("request", { id: "r1", tool: "slow" });
  await until(() => signal);
  server.send("end", { reason: "expired" });
  const end = await until(() => host.state.state === "ended" && host.state);
  assert.equal(end.reason, "expired");
  assert.ok(signal.aborted);
});

test("connect rejects with the server's reason when there is nothing to connect to", async () => {
  server.faults.push(["PUT /api/sessions", 410, {}, "session_ended"]);
  const host = new Host(session, { storage: null });
  await assert.rejects(host.connect(), { name: "ApiError", status: 410, code: "session_ended" });
});

test("a tool that is registered while connected is published", async () => {
  const host = await connected({ one: () => 1 });
  host.tool({ name: "two" }, () => 2).tool({ name: "three" }, () => 3);
  const puts = await until(() => server.sent("PUT /api/sessions/K7Q2M9XA/tools").slice(1)[0]);
  assert.deepEqual(puts.tools.map(({ name }) => name), ["one", "two", "three"]);
});

test("an event that is no JSON and a gap are reported, and the stream goes on", async () => {
  const host = await connected({ add: () => 1 });
  server.raw("event: request\ndata: not JSON\n\n");
  server.send("gap", { reason: "expired", after: "c0" });
  await until(() => seen(host, "gap").length === 1);
  assert.equal(seen(host, "error")[0].error.code, "bad_event");
  assert.equal(seen(host, "gap")[0].reason, "expired");
});

test("an error that nobody listens to is written to the console", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  const host = new Host(session, { storage: null });
  host.emit("error", { error: new Error("unheard") });
  assert.equal(warn.mock.callCount(), 1);
});

test("a session is kept for a reload, unless its time is over", () => {
  const storage = new FakeStorage();
  session.save(storage);
  assert.equal(Session.restore(storage).hostToken, "host-token");
  session.update({ expiresAt: "2020-01-01T00:00:00.000Z" });
  session.save(storage);
  assert.equal(Session.restore(storage), null);
  Session.forget(storage);
  assert.equal(storage.getItem("waypost.session"), null);
});

test("a stream that is silent for 45 seconds is dead; a heartbeat in time keeps it alive", (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const attempt = new AbortController();
  const guard = new SilenceTimeout(attempt);
  context.mock.timers.tick(44_000);
  guard.heard();
  context.mock.timers.tick(44_000);
  assert.ok(!attempt.signal.aborted);
  context.mock.timers.tick(1_000);
  assert.equal(attempt.signal.reason.code, "transport");
});

test("delays grow to their cap, are spread over their whole range, and never fall below what was asked", () => {
  const longest = new Backoff({ random: () => 1 });
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(() => longest.next()), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  longest.reset();
  assert.equal(longest.next(5000), 6000);
  assert.equal(new Backoff({ random: () => 0 }).next(5000), 5000);
});
