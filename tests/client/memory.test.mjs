/** A tab's stored state belongs to one session only, whatever codes the server gives out and whatever it reports as ended. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { newKey } from "../../src/site/client/crypto/cipher.js";
import { RequestStore } from "../../src/site/client/storage/request-store.js";
import { retain, storageKey } from "../../src/site/client/storage/tab-storage.js";
import { ReplayGuard } from "../../src/site/client/storage/replay-guard.js";
import { createSession, Host, joinSession, Session } from "../../src/site/waypost.js";
import { cursorOf, FakeServer, FakeStorage, until } from "./fake-server.mjs";

Math.random = () => 0;

const SECRET = "The hut above the lake";

let server;
let storage;
let hosts;
let runs;

// The server gives every session the same code.
beforeEach(async () => {
  server = await new FakeServer().start();
  server.relay = (_kind, body) => body;
  server.waitMs = 5;
  storage = new FakeStorage();
  hosts = [];
  runs = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

const open = (encrypted) => createSession({ baseUrl: server.url, encrypted });
const reopened = (session) => new Session(JSON.parse(JSON.stringify(session)));

/** A connected host whose one tool notes each run and answers with a secret. */
async function connected(session, options = {}) {
  const host = new Host(session, { storage, ...options });
  hosts.push(host);
  host.errors = [];
  host.on("error", ({ error }) => host.errors.push(error));
  host.tool({ name: "pay" }, (args) => (runs.push(args), SECRET));
  await host.connect();
  return host;
}

const answers = () => server.sent("POST /api/response").filter((body) => body.final);

/** Send the first request that a guest has made once more; wait for its answer. */
async function replay(more = {}) {
  const { id, tool, args } = server.sent("POST /api/request")[0];
  const before = answers().length;
  server.send("request", { id, tool, args, replay: true, ...more });
  return until(() => answers()[before]);
}

/** Have an encrypted session run a call; with a host that has not got rid of its answer if `isHeld`. */
async function paid(session, isHeld = false, options = {}) {
  const host = await connected(session, options);
  const guest = await joinSession(session.link);
  if (isHeld) server.faults.push(["POST /api/response", 503, { "retry-after": "60" }]);
  const call = guest.call("pay", { amount: 7 }, { timeout: isHeld ? 300 : 5000 });
  if (!isHeld) assert.equal(await call, SECRET);
  else await Promise.all([call.catch(() => {}), until(() => host.errors.length === 1)]);
  assert.equal(runs.length, 1);
  return host;
}

/** What the tab has of the session `name` in its storage. */
const stored = (name) => [...storage.items.keys()].filter((key) => key.endsWith(`.${name}`));

for (const isHeld of [true, false]) {
  const which = isHeld ? "that was not delivered" : "that was delivered";
  test(`an answer ${which} is not sent unencrypted by a later session to which the server gives the same code`, async () => {
    const sealed = await open(true);
    (await paid(sealed, isHeld)).close();
    const before = answers().length;
    const plain = await open(false);
    assert.equal(plain.code, sealed.code);
    await connected(plain);
    const told = await replay();
    assert.equal(told.error.code, "not_encrypted");
    await replay({ tool: "absent", args: {} });
    assert.ok(!JSON.stringify(answers().slice(before)).includes(SECRET));
  });
}

test("nor is it encrypted with the key of another session", async () => {
  (await paid(await open(true), true)).close();
  const other = await open(true);
  await connected(other);
  const told = await replay();
  assert.equal(told.error.code, "decryption_failed");
  // The name of a session's storage changes with its key.
  const renamed = new Session({ ...other.toJSON(), key: newKey() });
  assert.notEqual(renamed.memory, other.memory);
});

test("a session without encryption does not give the answers of another one either", async () => {
  (await paid(await open(false), true)).close();
  await connected(await open(false));
  assert.equal((await replay({ tool: "absent" })).error.code, "unknown_tool");
});

test("what is remembered with a key is dropped by a host without one, and the other way round, wherever it lies", async () => {
  const sealed = await open(true);
  (await paid(sealed, true)).close();
  const plain = await open(false);
  const name = (session) => storageKey("ledger", session.memory);
  storage.setItem(name(plain), storage.getItem(name(sealed)));
  assert.deepEqual(new RequestStore(sealed, storage, assert.fail).undelivered()[0][1], { result: SECRET });
  assert.deepEqual(new RequestStore(plain, storage, assert.fail).undelivered(), []);
  const requests = new RequestStore(plain, storage, assert.fail);
  requests.set("r1", { status: "answered", tool: "pay", answer: { result: 1 } });
  storage.setItem(name(sealed), storage.getItem(name(plain)));
  assert.equal(new RequestStore(sealed, storage, assert.fail).find("r1"), undefined);
});

const ENDS = {
  "an end event": () => server.send("end", { reason: "deleted" }),
  "410": () => (server.faults.push(["GET /api/stream", 410, {}, "session_ended"]), server.cut()),
};

for (const [what, end] of Object.entries(ENDS)) {
  test(`after ${what} an encrypted session can't be restored, and what it has run is not run again`, async () => {
    const session = await open(true);
    session.save(storage);
    const host = await paid(session);
    const record = reopened(session);
    end();
    await until(() => host.state.state === "ended");
    assert.equal(Session.restore(storage), null);
    // Not by a page that saves it too late either.
    session.save(storage);
    assert.equal(Session.restore(storage), null);
    // The same object, in the same page; with and without storage.
    for (const again of [storage, null]) {
      const next = await connected(session, { storage: again });
      assert.equal((await replay()).error, undefined);
      next.close();
    }
    // A page that has kept the session in its own way.
    record.save(storage);
    assert.equal(Session.restore(storage), null);
    await connected(record);
    await replay();
    assert.equal(runs.length, 1);
  });
}

test("an ended session without encryption is not restored or saved again either", async () => {
  const session = await open(false);
  session.save(storage);
  const host = await connected(session);
  await host.end();
  session.save(storage);
  assert.equal(Session.restore(storage), null);
});

test("the saved session is gone before what keeps its requests from running twice", async () => {
  const session = await open(true);
  session.save(storage);
  const host = await paid(session);
  const seen = storageKey("seen", session.memory);
  const { removeItem } = storage;
  const found = [];
  storage.removeItem = (key) => {
    if (key === "waypost.session") found.push(storage.getItem(seen));
    removeItem(key);
  };
  await host.end();
  assert.deepEqual(found, [server.sent("POST /api/request")[0].id]);
  assert.notEqual(storage.getItem(seen), found[0]);
  assert.deepEqual(stored(session.memory), [seen]);
});

test("the end of one session leaves another one that is saved", async () => {
  const [old, next] = [await open(true), await open(true)];
  const host = await connected(old);
  next.save(storage);
  await host.end();
  assert.equal(Session.restore(storage)?.key, next.key);
});

for (const encrypted of [true, false]) {
  const which = encrypted ? "an encrypted" : "another";
  test(`\`always\` of ${which} session is not valid for a later one to which the server gives the same code`, async () => {
    (await paid(await open(encrypted), false, { approve: () => "always" })).close();
    let asked = 0;
    const host = await connected(await open(false), { approve: () => (asked++, "refuse") });
    assert.equal(host.needsApproval("pay"), true);
    server.send("request", { id: "forged", tool: "pay", args: { amount: 666 } });
    await until(() => answers().some(({ id }) => id === "forged"));
    assert.deepEqual([asked, runs.length], [1, 1]);
  });
}

test("the cursor of one session is not another's", async () => {
  const first = await connected(await open(true));
  server.send("session", {});
  const name = storageKey("cursor", first.session.memory);
  await until(() => storage.getItem(name) === cursorOf(1));
  first.close();
  await connected(await open(true));
  assert.equal(server.sent("GET /api/stream").at(-1).headers["last-event-id"], undefined);
});

test("what the tab calls a session is its own secret, and is restored with it", async () => {
  const session = await open(true);
  session.save(storage);
  await paid(session);
  const { tabId } = session.toJSON();
  assert.match(tabId, /^[0-9a-f]{32}$/);
  assert.equal(Session.restore(storage).memory, session.memory);
  assert.ok(!JSON.stringify(server.got).includes(tabId));
  assert.ok(!session.link.includes(tabId));
  assert.notEqual((await open(true)).memory, session.memory);
});

test("a session that an older version has saved is restored with its memory, unless it is encrypted", async () => {
  const older = async (encrypted) => ({ ...(await open(encrypted)).toJSON(), tabId: undefined });
  const plain = await older(false);
  storage.setItem("waypost.session", JSON.stringify(plain));
  storage.setItem("waypost.ledger.K7Q2M9XA", '[["r1",{"status":"answered","tool":"pay","answer":{"result":5}}]]');
  await connected(Session.restore(storage));
  await until(() => answers().some(({ id, result }) => id === "r1" && result === 5));
  // There is no record any more of what an encrypted session has run.
  storage.setItem("waypost.session", JSON.stringify(await older(true)));
  assert.equal(Session.restore(storage), null);
});

test("a saved session that can't be read is none", () => {
  storage.setItem("waypost.session", "{");
  assert.equal(Session.restore(storage), null);
  assert.equal(Session.restore(null), null);
});

test("an encrypted session is not restored where what it has run is not remembered", async () => {
  const session = await open(true);
  session.save(storage);
  for (let n = 0; n < 49; n++) retain(`other-${n}`, storage, assert.fail);
  assert.equal(Session.restore(storage)?.key, session.key);
  retain("other-49", storage, assert.fail);
  assert.equal(Session.restore(storage), null);
});

test("the stored state of old sessions does not pile up", () => {
  for (let n = 0; n < 60; n++) {
    for (const part of ["ledger", "cursor", "approvals", "seen"]) storage.setItem(storageKey(part, `s${n}`), "x");
    retain(`s${n}`, storage, assert.fail);
  }
  const count = (part) => [...storage.items.keys()].filter((key) => key.startsWith(`waypost.${part}.`)).length;
  assert.deepEqual(["ledger", "cursor", "approvals", "seen"].map(count), [4, 4, 4, 50]);
  assert.deepEqual(stored("s59").length, 4);
  // One that is in use again counts as new.
  retain("s10", storage, assert.fail);
  retain("s60", storage, assert.fail);
  assert.equal(stored("s10").length, 1);
  assert.equal(stored("s11").length, 0);
  const errors = [];
  storage.setItem = () => {
    throw new Error("full");
  };
  retain("s61", storage, (error) => errors.push(error.message));
  assert.deepEqual(errors, ["full"]);
});

test("each host makes room for what it will remember, also of a session that is not saved", async () => {
  const names = [];
  for (let n = 0; n < 6; n++) {
    const session = await open(false);
    names.push(session.memory);
    const host = await connected(session);
    host.requireApproval("pay", false);
    host.close();
  }
  assert.deepEqual(names.map((name) => storage.getItem(storageKey("approvals", name)) !== null), [false, false, true, true, true, true]);
});

test("a request store whose session is over stores nothing more", () => {
  const requests = new RequestStore({ memory: "name", key: "key" }, storage, assert.fail);
  requests.set("r1", { status: "running", tool: "pay" });
  requests.cursor = cursorOf(1);
  assert.equal(storage.items.size, 2);
  requests.close();
  // An answer that was on its way is acknowledged only now.
  requests.set("r1", { status: "answered", tool: "pay", answer: { result: SECRET }, delivered: true });
  requests.cursor = cursorOf(2);
  assert.equal(storage.items.size, 0);
});

test("two hosts of one session know what the other has run, and that it is over", () => {
  const [one, other] = [1, 2].map(() => new ReplayGuard("name", storage, assert.fail));
  assert.equal(one.admit("a"), null);
  assert.equal(other.admit("a")?.code, "already_run");
  assert.equal(other.admit("b"), null);
  assert.equal(one.refusal("b")?.code, "already_run");
  one.close();
  assert.equal(other.admit("c")?.code, "session_over");
  assert.equal(new ReplayGuard("name", storage, assert.fail).admit("d")?.code, "session_over");
  assert.equal(ReplayGuard.isOver("name", storage), true);
});
