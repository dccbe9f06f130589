/** Approvals: which calls need one, how long a decision lasts, and that no answer never means yes. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { storageKey } from "../../src/site/client/storage/tab-storage.js";
import { createSession, Host, joinSession } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

Math.random = () => 0;

let server;
let session;
let hosts;
let asked;

beforeEach(async () => {
  server = await new FakeServer().start();
  session = await createSession({ baseUrl: server.url });
  hosts = [];
  asked = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

/** An approver that keeps each request, with a function `say` that decides it. */
const person = (request) => new Promise((resolve) => asked.push({ ...request, say: resolve }));

/** A connected host with a tool that writes and one that reads; `runs` are the ids of what has run. */
async function connected(options = {}, toolOptions = {}) {
  const host = new Host(session, { storage: new FakeStorage(), ...options });
  hosts.push(host);
  host.runs = [];
  host.errors = [];
  host.decisions = [];
  host.on("error", ({ error }) => host.errors.push(error));
  host.on("approval", ({ id, decision }) => host.decisions.push([id, decision]));
  const run = (_args, { id }) => void host.runs.push(id);
  host.tool({ name: "write" }, run, toolOptions);
  host.tool({ name: "read", annotations: { readOnlyHint: true } }, run, toolOptions);
  await host.connect();
  return host;
}

const ask = (id, tool = "write", more = {}) => server.send("request", { id, tool, args: { n: 1 }, ...more });
const sent = () => server.sent("POST /api/response");
const answers = () => sent().filter((body) => body.final).map(({ id, error }) => [id, error?.code ?? "done"]);

test("without an approver every call runs", async () => {
  const host = await connected();
  ask("r1");
  await until(() => answers().length === 1);
  assert.deepEqual(host.runs, ["r1"]);
  assert.equal(host.needsApproval("write"), false);
});

test("with an approver, a call waits for its decision, unless the tool has readOnlyHint", async () => {
  const host = await connected({ approve: person });
  ask("r1");
  ask("r2", "read");
  await until(() => answers().length === 1);
  assert.deepEqual(host.runs, ["r2"]);
  const [{ say, signal: _signal, ...request }] = asked;
  assert.deepEqual(request, {
    id: "r1", tool: "write", args: { n: 1 }, definition: { name: "write", inputSchema: { type: "object" } },
    replay: false, restarted: false,
  });
  say("once");
  await until(() => answers().length === 2);
  assert.deepEqual(host.runs, ["r2", "r1"]);
  ask("r3");
  await until(() => asked.length === 2);
  assert.deepEqual(host.decisions, [["r1", "once"]]);
});

test("readOnlyHint counts only if it is exactly true", async () => {
  const host = await connected({ approve: person });
  for (const readOnlyHint of [false, null, undefined]) {
    host.tool({ name: "odd", annotations: { readOnlyHint } }, () => 1);
    assert.equal(host.needsApproval("odd"), true, `${readOnlyHint}`);
  }
  for (const readOnlyHint of ["true", 1, {}]) {
    assert.throws(() => host.tool({ name: "odd", annotations: { readOnlyHint } }, () => 1), /readOnlyHint must be true or false/);
  }
});

test("a refused call does not run and is answered with `refused`; a repeat gets the same answer", async () => {
  const host = await connected({ approve: () => "refuse" });
  const took = [];
  host.on("response", ({ durationMs }) => took.push(durationMs));
  ask("r1");
  await until(() => answers().length === 1);
  assert.deepEqual(took, [undefined]);
  ask("r1", "write", { replay: true });
  await until(() => answers().length === 2);
  assert.deepEqual(answers(), [["r1", "refused"], ["r1", "refused"]]);
  assert.deepEqual(host.decisions, [["r1", "refuse"]]);
  assert.deepEqual(host.runs, []);
});

for (const [what, approve] of [
  ["throws", () => { throw new Error("No screen."); }],
  ["rejects", () => Promise.reject(new Error("No screen."))],
  ["says nothing", () => undefined],
  ["says true", () => true],
  ["says a word that is none", () => Promise.resolve("yes")],
]) {
  test(`an approver that ${what} refuses the call, and the error is reported`, async () => {
    const host = await connected({ approve });
    ask("r1");
    await until(() => answers().length === 1);
    assert.deepEqual([answers(), host.runs, host.errors.length], [[["r1", "refused"]], [], 1]);
  });
}

test("`always` holds for the tool's calls that wait, for later ones and over a reload; not for other tools", async () => {
  const storage = new FakeStorage();
  const host = await connected({ approve: person, storage });
  host.tool({ name: "other" }, () => 1);
  ask("r1");
  ask("r2");
  ask("r3", "other");
  await until(() => asked.length === 3);
  asked[0].say("always");
  await until(() => answers().length === 2);
  assert.equal(asked[1].signal.aborted, true);
  assert.equal(asked[2].signal.aborted, false);
  // A word on what is decided already says nothing.
  asked[1].say("refuse");
  asked[2].say("refuse");
  await until(() => answers().length === 3);
  assert.deepEqual(host.decisions, [["r2", "once"], ["r1", "always"], ["r3", "refuse"]]);
  host.close();
  const again = await connected({ approve: person, storage });
  ask("r4");
  await until(() => again.runs.length === 1);
  assert.deepEqual([again.runs, again.needsApproval("write")], [["r4"], false]);
});

test("`always` ends with the session, or when the page requires approval again", async () => {
  const storage = new FakeStorage();
  const host = await connected({ approve: () => "always", storage });
  ask("r1");
  await until(() => answers().length === 1);
  assert.equal(host.needsApproval("write"), false);
  host.requireApproval("write");
  assert.equal(host.needsApproval("write"), true);
  host.requireApproval("read");
  host.requireApproval("write", false);
  assert.deepEqual([host.needsApproval("read"), host.needsApproval("write")], [true, false]);
  await host.end();
  assert.equal(host.needsApproval("write"), true);
  assert.equal(storage.getItem(storageKey("approvals", session.memory)), null);
});

test("a waiting call is asked about again after a reload, as one that has not started", async () => {
  const storage = new FakeStorage();
  const first = await connected({ approve: person, storage });
  ask("r1");
  await until(() => asked.length === 1);
  first.close();
  assert.equal(asked[0].signal.aborted, true);
  await new Promise((resolve) => setImmediate(resolve));
  const second = await connected({ approve: person, storage });
  ask("r1", "write", { replay: true });
  await until(() => asked.length === 2);
  assert.deepEqual([asked[1].replay, asked[1].restarted], [true, false]);
  // The page that is gone has no say any more.
  asked[0].say("always");
  asked[1].say("once");
  await until(() => answers().length === 1);
  assert.deepEqual([first.runs, second.runs, second.needsApproval("write")], [[], ["r1"], true]);
});

test("a call that started before the reload is asked about again, marked as restarted", async () => {
  const storage = new FakeStorage();
  const first = await connected({ approve: person, storage });
  first.tool({ name: "slow" }, () => new Promise(() => first.runs.push("slow")));
  ask("r1", "slow");
  await until(() => asked.length === 1);
  asked[0].say("once");
  await until(() => first.runs.length === 1);
  first.close();
  const second = await connected({ approve: person, storage });
  second.tool({ name: "slow" }, (_args, { restarted }) => second.runs.push(restarted));
  ask("r1", "slow", { replay: true });
  await until(() => asked.length === 2);
  assert.equal(asked[1].restarted, true);
  assert.deepEqual(second.runs, []);
  asked[1].say("once");
  await until(() => answers().length === 1);
  assert.deepEqual(second.runs, [true]);
});

test("cancelling closes the question; a decision that comes too late runs and sends nothing", async () => {
  const host = await connected({ approve: person });
  ask("r1");
  await until(() => asked.length === 1);
  server.send("cancel", { id: "r1" });
  await until(() => asked[0].signal.aborted);
  asked[0].say("always");
  ask("r2", "read");
  await until(() => answers().length === 1);
  assert.deepEqual([answers(), host.runs, host.decisions], [[["r2", "done"]], ["r2"], []]);
  assert.equal(host.needsApproval("write"), true);
  // Nor is it asked about when it comes again: its message is removed.
  const cursor = ask("r1", "write", { replay: true });
  await until(() => server.sent("POST /api/ack").some(({ cursors }) => cursors.includes(cursor)));
  assert.equal(asked.length, 1);
});

test("an approver that rejects when its question is closed reports no error", async () => {
  const approve = ({ signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const host = await connected({ approve });
  ask("r1");
  await until(() => sent().length === 1);
  server.send("cancel", { id: "r1" });
  await until(() => server.sent("POST /api/ack").length === 1);
  assert.deepEqual([host.errors, answers(), host.decisions], [[], [], []]);
});

test("the end of the session closes the question", async () => {
  const host = await connected({ approve: person });
  ask("r1");
  await until(() => asked.length === 1);
  server.send("end", { reason: "expired" });
  await until(() => asked[0].signal.aborted);
  asked[0].say("once");
  await until(() => host.state.state === "ended");
  assert.deepEqual([host.runs, answers()], [[], []]);
});

test("the guest gets \"Waiting for approval\" first, and only if the call waits", async () => {
  const host = await connected({ approve: (request) => (request.id === "r1" ? person(request) : "once") });
  ask("r1");
  ask("r2");
  await until(() => asked.length === 1 && answers().length === 1);
  asked[0].say("once");
  await until(() => answers().length === 2);
  const told = sent().map(({ id, result, final }) => [id, final ? "done" : result]);
  assert.deepEqual(told.filter(([id]) => id === "r1"), [["r1", { progress: 0, message: "Waiting for approval." }], ["r1", "done"]]);
  assert.deepEqual(told.filter(([id]) => id === "r2"), [["r2", "done"]]);
  assert.deepEqual(host.runs, ["r2", "r1"]);
});

/** A call that was allowed and runs: `tick` moves the time, `call` is what its handler got, `finish` ends it. */
async function running(context) {
  const begun = Promise.withResolvers();
  const end = Promise.withResolvers();
  const host = await connected({ approve: person });
  host.tool({ name: "slow" }, (_args, call) => (begun.resolve(call), end.promise));
  ask("r1", "slow");
  await until(() => asked.length === 1 && sent().length === 1);
  context.mock.timers.enable({ apis: ["setTimeout"] });
  asked[0].say("once");
  const call = await begun.promise;
  const tick = (ms) => context.mock.timers.tick(ms);
  const finish = async () => {
    context.mock.timers.reset();
    end.resolve("there");
    await until(() => answers().length === 1);
    return sent().map(({ result }) => result?.message ?? result);
  };
  return { call, tick, finish };
}

test("the guest gets \"Running\" once an allowed call takes long", async (context) => {
  const { tick, finish } = await running(context);
  tick(2_999);
  await new Promise(setImmediate);
  assert.equal(sent().length, 1);
  tick(1);
  // Before the time goes on: a request that is under way has a limit, too.
  while (sent().length < 2) await new Promise(setImmediate);
  tick(60_000);
  context.mock.timers.reset();
  await until(() => sent().length === 2);
  assert.deepEqual(await finish(), ["Waiting for approval.", "Running.", "there"]);
});

test("an allowed call that ends soon sends no \"Running\"", async (context) => {
  const quick = await running(context);
  quick.tick(2_999);
  assert.deepEqual(await quick.finish(), ["Waiting for approval.", "there"]);
});

test("a call that reports its own progress sends no \"Running\"", async (context) => {
  const own = await running(context);
  own.call.progress({ progress: 1, message: "my own" });
  while (sent().length < 2) await new Promise(setImmediate);
  own.tick(60_000);
  context.mock.timers.reset();
  await until(() => sent().length === 2);
  assert.deepEqual(await own.finish(), ["Waiting for approval.", "my own", "there"]);
});

test("a repeat of a call that waits is not asked about twice", async () => {
  const host = await connected({ approve: person });
  ask("r1");
  ask("r1", "write", { replay: true });
  ask("r2");
  await until(() => asked.length === 2);
  assert.deepEqual(asked.map(({ id }) => id), ["r1", "r2"]);
  asked[0].say("once");
  await until(() => answers().length === 1);
  assert.deepEqual(host.runs, ["r1"]);
});

test("a page's `approve` option takes precedence over the tool's annotations", async () => {
  const open = await connected({ approve: person }, { approve: false });
  assert.deepEqual([open.needsApproval("write"), open.needsApproval("read")], [false, false]);
  const closed = await connected({ approve: person }, { approve: true });
  assert.deepEqual([closed.needsApproval("write"), closed.needsApproval("read")], [true, true]);
});

test("a tool may have an approver of its own, with or without one of the host's", async () => {
  const own = [];
  const approve = (request) => (own.push(request.id), "once");
  await connected({}, { approve });
  ask("r1", "read");
  await until(() => answers().length === 1);
  hosts.pop().close();
  await connected({ approve: person }, { approve });
  ask("r2");
  await until(() => answers().length === 2);
  assert.deepEqual([own, asked], [["r1", "r2"], []]);
});

test("a tool that requires approval throws immediately if there is no approver", async () => {
  const host = await connected();
  assert.throws(() => host.tool({ name: "pay" }, () => 1, { approve: true }), { code: "no_approver" });
  assert.throws(() => host.requireApproval("write"), { code: "no_approver" });
  assert.throws(() => host.requireApproval("pay"), { code: "unknown_tool" });
  ask("r1", "pay");
  await until(() => answers().length === 1);
  assert.deepEqual(answers(), [["r1", "unknown_tool"]]);
});

test("a call to an unknown tool asks nobody", async () => {
  await connected({ approve: person });
  ask("r1", "absent");
  await until(() => answers().length === 1);
  assert.deepEqual([answers(), asked], [[["r1", "unknown_tool"]], []]);
  assert.equal(hosts[0].needsApproval("absent"), false);
});

test("stored decisions that can't be parsed are dropped, and asked for again", async () => {
  const storage = new FakeStorage();
  storage.setItem(storageKey("approvals", session.memory), "{");
  const host = await connected({ approve: person, storage });
  assert.equal(host.needsApproval("write"), true);
});

test("in an encrypted session the approver sees decrypted arguments, and a refusal is encrypted", async () => {
  session = await createSession({ baseUrl: server.url, encrypted: true });
  server.relay = (_kind, body) => body;
  server.waitMs = 5;
  const host = await connected({ approve: person });
  const guest = await joinSession(session.link);
  const refused = guest.call("write", { secret: "word" }).catch((error) => error);
  await until(() => asked.length === 1);
  assert.deepEqual(asked[0].args, { secret: "word" });
  asked[0].say("refuse");
  const { code, authenticated } = await refused;
  assert.deepEqual([code, authenticated, host.runs], ["refused", true, []]);
  assert.ok(!JSON.stringify(sent()).includes("refused"));
  const done = guest.call("write");
  await until(() => asked.length === 2);
  asked[1].say("once");
  await done;
  assert.equal(host.runs.length, 1);
});

test("in an encrypted session a replayed request is refused without asking the approver", async () => {
  session = await createSession({ baseUrl: server.url, encrypted: true });
  const storage = new FakeStorage();
  let replayed;
  server.relay = (_kind, body) => (replayed = body);
  server.waitMs = 5;
  const first = await connected({ approve: () => "once", storage });
  const guest = await joinSession(session.link);
  await guest.call("write");
  first.close();
  storage.removeItem(storageKey("ledger", session.memory));
  server.relay = null;
  const second = await connected({ approve: person, storage });
  const asking = server.sent("POST /api/request")[0];
  server.send("request", { id: asking.id, tool: asking.tool, args: asking.args, replay: true });
  const before = sent().length;
  await until(() => sent().length > before);
  assert.deepEqual([asked, second.runs, replayed !== undefined], [[], [], true]);
});
