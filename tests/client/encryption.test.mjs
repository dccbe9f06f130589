/** Both ends of an encrypted session, with a server between them that reads and changes messages. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { newKey } from "../../src/site/client/crypto/cipher.js";
import { ReplayGuard } from "../../src/site/client/storage/replay-guard.js";
import { createSession, Guest, Host, joinSession, Session } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

Math.random = () => 0;

const SECRET = "The hut above the lake";

let server;
let session;
let guest;
let hosts;

beforeEach(async () => {
  server = await new FakeServer().start();
  server.relay = (_kind, body) => body;
  server.waitMs = 5;
  session = await createSession({ baseUrl: server.url, encrypted: true });
  guest = await joinSession(session.link);
  hosts = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

/** A connected host, with the events it has emitted. */
async function connected(tools, storage = new FakeStorage(), of = session) {
  const host = new Host(of, { storage });
  hosts.push(host);
  host.log = [];
  for (const type of ["request", "response", "delivered", "error"]) host.on(type, (detail) => host.log.push({ type, ...detail }));
  for (const [name, handler] of Object.entries(tools)) host.tool({ name }, handler);
  await host.connect();
  return host;
}

const seen = (host, type) => host.log.filter((event) => event.type === type);
const requests = () => server.sent("POST /api/request");
const answers = () => server.sent("POST /api/response");
const everything = () => JSON.stringify(server.got);

test("arguments, progress, results and errors pass, and the server sees none of them, nor the key", async () => {
  const steps = [];
  await connected({
    find: async ({ what }, { progress }) => {
      progress({ message: `${what}: looking` });
      await until(() => steps.length > 0);
      return { found: `${what}: found` };
    },
    fails: ({ what }) => {
      throw Object.assign(new Error(`${what}: gone`), { data: { what } });
    },
  });
  assert.deepEqual(await guest.call("find", { what: SECRET }, { onProgress: (step) => steps.push(step) }), { found: `${SECRET}: found` });
  assert.deepEqual(steps, [{ message: `${SECRET}: looking` }]);
  const failure = await guest.call("fails", { what: SECRET }).catch((error) => error);
  assert.deepEqual([failure.name, failure.code, failure.message, failure.data], ["ToolError", "tool_error", `${SECRET}: gone`, { what: SECRET }]);
  assert.equal(failure.authenticated, true);
  assert.ok(!everything().includes("hut above"));
  assert.ok(!everything().includes(session.key));
  // Not even whether it went well.
  assert.ok(answers().every(({ result, error }) => result.$waypost === "e2e1" && error === undefined));
});

test("a request that is sent again is the very same, and no nonce is used for two messages, over a reload too", async () => {
  const storage = new FakeStorage();
  const tools = { echo: ({ n }) => n, slow: () => new Promise(() => {}) };
  const first = await connected(tools, storage);
  server.faults.push(["POST /api/request", "lose"], ["POST /api/request", 503]);
  assert.equal(await guest.call("echo", { n: 0 }, { id: "r0" }), 0);
  const again = requests().filter(({ id }) => id === "r0");
  assert.ok(again.length >= 3);
  assert.equal(new Set(again.map(({ args }) => JSON.stringify(args))).size, 1);
  server.faults.push(["POST /api/response", "drop"], ["POST /api/response", 503], ["POST /api/response", "lose"]);
  for (let n = 1; n < 8; n++) await guest.call("echo", { n }, { id: `r${n}` });
  first.close();
  Session.forget(storage);
  session.save(storage);
  const second = await connected(tools, storage, Session.restore(storage));
  const copies = requests().filter((body, at, all) => all.findIndex(({ id }) => id === body.id) === at);
  for (const { id, tool, args } of copies) server.send("request", { id, tool, args, replay: true });
  await until(() => seen(second, "delivered").length === copies.length);
  for (let n = 8; n < 16; n++) await guest.call("echo", { n });
  const envelopes = [...requests().map(({ args }) => args), ...answers().map(({ result }) => result)];
  const texts = new Set(envelopes.map(({ n, c }) => `${n} ${c}`));
  assert.ok(texts.size >= 32);
  assert.equal(new Set(envelopes.map(({ n }) => n)).size, texts.size);
});

test("a key that was kept for a reload, or given by hand, is the key", async () => {
  const storage = new FakeStorage();
  session.save(storage);
  const kept = Session.restore(storage);
  assert.deepEqual([kept.key, kept.link], [session.key, session.link]);
  await connected({ add: ({ a, b }) => a + b }, new FakeStorage(), kept);
  const byHand = await joinSession("k7q2-m9xa", { baseUrl: server.url, key: session.key });
  assert.equal(await byHand.call("add", { a: 1, b: 2 }), 3);
  assert.equal(await new Guest("k7q2-m9xa", { baseUrl: server.url, key: session.key }).call("add", { a: 2, b: 2 }), 4);
  assert.deepEqual([byHand.encrypted, new Guest("K7Q2M9XA", { baseUrl: server.url }).encrypted], [true, false]);
});

test("a damaged key fails before anything is sent", async () => {
  const before = everything();
  await assert.rejects(joinSession(session.link.slice(0, -1)), { code: "invalid_key" });
  assert.equal(everything(), before);
});

test("an unencrypted request is refused without running, and the error says what is needed", async () => {
  let runs = 0;
  const host = await connected({ add: () => ++runs });
  const plain = await joinSession("K7Q2M9XA", { baseUrl: server.url });
  const error = await plain.call("add", { a: SECRET }).catch((reason) => reason);
  assert.deepEqual([error.name, error.code, error.authenticated], ["ToolError", "encryption_required", false]);
  assert.match(error.message, /whole link/);
  assert.equal(runs, 0);
  assert.ok(!JSON.stringify(host.log).includes("hut above"));
});

test("a guest sees from the tools that a session is encrypted; without the marks, the host still refuses", async () => {
  await connected({ add: () => 1 });
  const plain = await joinSession("K7Q2M9XA", { baseUrl: server.url });
  assert.equal((await plain.session()).encrypted, true);
  const clear = await createSession({ baseUrl: server.url });
  await connected({ add: () => 1 }, new FakeStorage(), clear);
  assert.equal((await plain.session()).encrypted, false);
});

const TAMPERED = {
  "a bit of the ciphertext": (body) => ({ ...body, args: { ...body.args, c: flipped(body.args.c) } }),
  "the nonce": (body) => ({ ...body, args: { ...body.args, n: flipped(body.args.n) } }),
  "the tool": (body) => ({ ...body, tool: "other" }),
  "the id": (body) => ({ ...body, id: "another" }),
  "the format": (body) => ({ ...body, args: { ...body.args, $waypost: "e2e0" } }),
};

for (const [what, tamper] of Object.entries(TAMPERED)) {
  test(`a request of which the server changed ${what} is not run`, async () => {
    let runs = 0;
    const run = () => ++runs;
    const host = await connected({ add: run, other: run });
    server.relay = (kind, body) => (kind === "request" ? tamper(body) : { ...body, id: "r1" });
    await assert.rejects(guest.call("add", {}, { id: "r1" }), { name: "DecryptionError", code: "decryption_failed" });
    assert.equal(runs, 0);
    assert.equal(seen(host, "response")[0].error.code, "decryption_failed");
  });
}

test("encrypted arguments that are no object do not run", async () => {
  let runs = 0;
  await connected({ add: () => ++runs });
  for (const args of [[1], null, "text", 7]) {
    await assert.rejects(guest.call("add", args), { name: "DecryptionError", code: "decryption_failed" });
  }
  assert.equal(runs, 0);
});

const FORGED = {
  "an answer in the clear": [() => ({ result: 3, error: undefined }), "answer_in_clear"],
  "an error in the clear": [() => ({ result: undefined, error: { code: "tool_error", message: "No." } }), "answer_in_clear"],
  "an answer with a bit changed": [({ result }) => ({ result: { ...result, c: flipped(result.c) } }), "decryption_failed"],
  "no answer at all": [() => ({ result: undefined }), "answer_in_clear"],
};

for (const [what, [forge, code]] of Object.entries(FORGED)) {
  test(`${what} is not accepted`, async () => {
    await connected({ add: () => 3 });
    server.relay = (kind, body) => (kind === "response" ? { ...body, ...forge(body) } : body);
    await assert.rejects(guest.call("add"), { name: "DecryptionError", code });
  });
}

test("the answer to another request is not accepted", async () => {
  await connected({ add: () => 3 });
  assert.equal(await guest.call("add", {}, { id: "r1" }), 3);
  const [{ result }] = answers();
  server.relay = (kind, body) => (kind === "response" ? { ...body, result } : body);
  await assert.rejects(guest.call("add"), { name: "DecryptionError", code: "decryption_failed" });
});

test("progress that the server presents as an answer is not accepted", async () => {
  await connected({ add: (_args, { progress }) => (progress(3), new Promise(() => {})) });
  server.relay = (_kind, body) => ({ ...body, final: true });
  await assert.rejects(guest.call("add"), { name: "DecryptionError", code: "decryption_failed" });
});

test("the arguments can't be sent back as an answer", async () => {
  await connected({ add: () => 3 });
  server.relay = (kind, body) => (kind === "response" ? { ...body, result: requests().at(-1).args } : body);
  await assert.rejects(guest.call("add"), { name: "DecryptionError", code: "decryption_failed" });
});

test("forged progress is dropped, the tab's own progress arrives in order", async () => {
  const steps = [];
  let finish;
  await connected({
    walk: (_args, { progress }) => {
      progress(1);
      return new Promise((resolve) => (finish = () => (progress(4), setTimeout(resolve, 20))));
    },
  });
  const call = guest.call("walk", {}, { id: "r1", onProgress: (step) => steps.push(step) });
  await until(() => steps.length === 1);
  server.send("response", { id: "r1", final: false, result: 2 });
  server.send("response", { id: "r1", final: false, result: requests()[0].args });
  server.send("response", { id: "r2", final: false, result: answers()[0].result });
  finish();
  await call;
  assert.deepEqual(steps, [1, 4]);
});

test("the server's own error about a cancelled request does not count as authenticated", async () => {
  const call = guest.call("add", {}, { id: "r1" });
  await until(() => requests().length > 0);
  const cancelled = { code: "cancelled", message: "The request was cancelled before it was answered." };
  await fetch(`${server.url}/api/response`, { method: "POST", body: JSON.stringify({ id: "r1", final: true, error: cancelled }) });
  await assert.rejects(call, { name: "ToolError", code: "cancelled", authenticated: false });
});

test("a call cancelled during decryption does not run", async () => {
  let runs = 0;
  const host = await connected({ add: () => ++runs });
  server.relay = null;
  guest.call("add", {}, { id: "r1", timeout: 200 }).catch(() => {});
  const { id, tool, args } = await until(() => requests()[0]);
  server.send("request", { id, tool, args });
  server.send("cancel", { id });
  await until(() => server.sent("POST /api/ack").length > 0 && seen(host, "request").length === 1);
  assert.equal(runs, 0);
});

test("with another key a call fails, and so do all its answers", async () => {
  let runs = 0;
  await connected({ add: () => ++runs });
  const stranger = await joinSession("K7Q2M9XA", { baseUrl: server.url, key: newKey() });
  await assert.rejects(stranger.call("add"), { name: "DecryptionError", code: "decryption_failed" });
  assert.equal(runs, 0);
});

test("a tab without a key refuses what is encrypted", async () => {
  let runs = 0;
  await connected({ add: () => ++runs }, new FakeStorage(), await createSession({ baseUrl: server.url }));
  await assert.rejects(guest.call("add"), { name: "DecryptionError", code: "not_encrypted" });
  assert.equal(runs, 0);
});

test("a repeat gets the first answer again, encrypted, even if the repeat is damaged or unencrypted", async () => {
  let runs = 0;
  const host = await connected({ count: () => ++runs });
  assert.equal(await guest.call("count", {}, { id: "r1" }), 1);
  const { args } = requests()[0];
  server.send("request", { id: "r1", tool: "count", args, replay: true });
  server.send("request", { id: "r1", tool: "count", args: { ...args, c: flipped(args.c) }, replay: true });
  await until(() => seen(host, "delivered").length >= 2 && seen(host, "request").length === 3);
  server.send("request", { id: "r1", tool: "other", args: {}, replay: true });
  await until(() => seen(host, "request").length === 4 && seen(host, "delivered").length >= 3);
  assert.equal(runs, 1);
  assert.ok(answers().every(({ result }) => result?.$waypost === "e2e1"));
  assert.equal(await guest.call("count", {}, { id: "r1" }), 1);
});

test("a damaged copy of a request that is running is not answered", async () => {
  let finish;
  const host = await connected({ slow: () => new Promise((resolve) => (finish = resolve)) });
  const call = guest.call("slow", {}, { id: "r1" });
  await until(() => finish);
  server.send("request", { id: "r1", tool: "slow", args: {}, replay: true });
  await until(() => seen(host, "request").length === 2);
  finish("done");
  assert.equal(await call, "done");
  assert.equal(answers().length, 1);
});

test("a refusal is not stored as the answer: an undamaged request with that id still runs", async () => {
  const host = await connected({ count: () => 1 });
  server.relay = null;
  const call = guest.call("count", {}, { id: "r1" });
  const { tool, args } = await until(() => requests()[0]);
  server.relay = (_kind, body) => ({ ...body, final: body.final && !body.error });
  server.send("request", { id: "r1", tool, args: { ...args, c: flipped(args.c) } });
  await until(() => seen(host, "delivered").length === 1);
  server.send("request", { id: "r1", tool, args });
  assert.equal(await call, 1);
});

test("a server that floods the tab can't make it run an old request again, over a reload neither", async () => {
  const storage = new FakeStorage();
  let runs = 0;
  const first = await connected({ count: () => ++runs }, storage);
  assert.equal(await guest.call("count", {}, { id: "r1" }), 1);
  for (let n = 0; n < 220; n++) server.send("cancel", { id: `flood-${n}` });
  for (let n = 0; n < 5; n++) server.send("request", { id: `junk-${n}`, tool: "count", args: {} });
  await until(() => seen(first, "response").length >= 6);
  first.close();
  const second = await connected({ count: () => ++runs }, storage);
  const { tool, args } = requests()[0];
  server.send("request", { id: "r1", tool, args, replay: true });
  const told = await until(() => seen(second, "response")[0]);
  assert.equal(told.error.code, "already_run");
  assert.equal(runs, 1);
});

test("an answer that was given before a reload is still there after it", async () => {
  const storage = new FakeStorage();
  let runs = 0;
  const first = await connected({ count: () => ++runs }, storage);
  server.faults.push(["POST /api/response", 503, { "retry-after": "60" }]);
  const call = guest.call("count", {}, { id: "r1" });
  await until(() => seen(first, "error").length === 1);
  first.close();
  await connected({ count: () => ++runs }, storage);
  assert.equal(await call, 1);
  assert.equal(runs, 1);
});

test("a handler that a reload has interrupted runs again, with `restarted` set", async () => {
  const storage = new FakeStorage();
  const first = await connected({ slow: () => new Promise(() => {}) }, storage);
  const call = guest.call("slow", {}, { id: "r1" });
  await until(() => seen(first, "request").length === 1);
  first.close();
  await connected({ slow: (_args, { restarted }) => ({ restarted }) }, storage);
  const { tool, args } = requests()[0];
  server.send("request", { id: "r1", tool, args, replay: true });
  assert.deepEqual(await call, { restarted: true });
});

test("a session that is full, or whose storage is, runs nothing more", () => {
  const storage = new FakeStorage();
  const errors = [];
  const few = new ReplayGuard("name", storage, (error) => errors.push(error), 2);
  assert.deepEqual([few.admit("a"), few.admit("b"), few.admit("a")?.code], [null, null, "already_run"]);
  assert.equal(new ReplayGuard("name", storage, () => {}, 2).admit("c").code, "session_full");
  storage.setItem = () => {
    throw new Error("full");
  };
  assert.equal(new ReplayGuard("name", storage, (error) => errors.push(error)).admit("d").code, "not_remembered");
  assert.deepEqual(errors.map(({ message }) => message), ["full"]);
});

test("requests are run in the order in which they came, however long each takes to decrypt", async () => {
  const ran = [];
  await connected({ note: ({ n }) => void ran.push(n) });
  server.relay = null;
  const sizes = [200_000, 10, 100_000, 10, 10, 50_000, 10];
  const calls = sizes.map((size, n) =>
    guest.call("note", { n, pad: "x".repeat(size) }, { id: `r${n}`, timeout: 60_000 }),
  );
  await until(() => new Set(requests().map(({ id }) => id)).size === sizes.length);
  const byId = Object.fromEntries(requests().map((body) => [body.id, body]));
  for (const n of sizes.keys()) server.send("request", { id: `r${n}`, tool: "note", args: byId[`r${n}`].args });
  await Promise.all(calls);
  assert.deepEqual(ran, [...sizes.keys()]);
});

test("an answer that is too large once it is encrypted is replaced by an error that says so", async () => {
  await connected({ big: () => "x".repeat(1000) });
  server.faults.push(["POST /api/response", 413]);
  await assert.rejects(guest.call("big"), { name: "ToolError", code: "answer_too_large", authenticated: true });
});

test("a tab that stops listening while it decrypts runs nothing any more", async () => {
  let runs = 0;
  const host = await connected({ add: () => ++runs });
  server.relay = null;
  guest.call("add", { pad: "x".repeat(150_000) }, { id: "r1", timeout: 100 }).catch(() => {});
  const { id, tool, args } = await until(() => requests()[0]);
  const decrypt = crypto.subtle.decrypt;
  const begun = new Promise((resolve) => {
    crypto.subtle.decrypt = (...all) => (resolve(), decrypt.apply(crypto.subtle, all));
  });
  server.send("request", { id, tool, args });
  await begun;
  crypto.subtle.decrypt = decrypt;
  host.close();
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.deepEqual([runs, seen(host, "request").length], [0, 0]);
});

test("a session that should be encrypted where that is not possible is not opened at all", async (context) => {
  context.mock.getter(crypto, "subtle", () => undefined);
  const before = server.sent("POST /api/sessions").length;
  await assert.rejects(createSession({ baseUrl: server.url, encrypted: true }), { code: "encryption_unavailable" });
  assert.equal(server.sent("POST /api/sessions").length, before);
});

/** `text` (base64url) with a bit of its first byte changed. */
function flipped(text) {
  const bytes = Buffer.from(text, "base64url");
  bytes[0] ^= 1;
  return bytes.toString("base64url");
}
