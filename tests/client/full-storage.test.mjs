/** A server that wants a tab to forget what it has run, and a storage that is full: nothing runs that is not remembered. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { isAboutRequest, isCursor, isoTime, isToolName } from "../../src/site/client/grammar.js";
import { Approvals } from "../../src/site/client/host/approvals.js";
import { Outbox } from "../../src/site/client/host/outbox.js";
import { ReplayGuard } from "../../src/site/client/storage/replay-guard.js";
import { RequestStore } from "../../src/site/client/storage/request-store.js";
import { retain, storageKey } from "../../src/site/client/storage/tab-storage.js";
import { ApiError } from "../../src/site/client/errors.js";
import { retryAfter } from "../../src/site/client/transport/http.js";
import { createSession, Host, joinSession, Session } from "../../src/site/waypost.js";
import { cursorOf, FakeServer, FakeStorage, until } from "./fake-server.mjs";

Math.random = () => 0;

/** Characters that Chromium gives an origin's `sessionStorage`. */
const QUOTA = 5 * 1024 * 1024;

let server;
let storage;
let session;
let guest;
let hosts;
let paid;

beforeEach(async () => {
  server = await new FakeServer().start();
  server.relay = (_kind, body) => body;
  server.waitMs = 5;
  storage = new FakeStorage();
  storage.quota = QUOTA;
  session = await createSession({ baseUrl: server.url, encrypted: true });
  guest = await joinSession(session.link);
  hosts = [];
  paid = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

/** A connected host of the session, as the page has it after it was loaded. */
async function connected(of = session) {
  const host = new Host(of, { storage });
  hosts.push(host);
  host.errors = [];
  host.on("error", ({ error }) => host.errors.push(error));
  host.tool({ name: "pay" }, ({ amount }) => (paid.push(amount), `Paid ${amount}. ${"Receipt. ".repeat(200)}`));
  await host.connect();
  return host;
}

/** The page is loaded again. */
async function reloaded() {
  hosts.at(-1).close();
  const restored = Session.restore(storage);
  assert.ok(restored);
  return connected(restored);
}

const answers = (id) => server.sent("POST /api/response").filter((body) => body.id === id && body.final);

/** Send a genuine request once more, and wait for its answer. */
async function replay(id) {
  const { tool, args } = server.sent("POST /api/request").find((body) => body.id === id);
  const before = answers(id).length;
  server.send("request", { id, tool, args, replay: true });
  return until(() => answers(id)[before]);
}

/** Characters that are left in the storage: a server finds out by trying. */
const left = () => QUOTA - storage.used;

/** What the server sends to fill the tab's storage. */
const FILLINGS = {
  "nothing (the control)": () => {},
  "a cursor of five million characters": () => server.raw(`id: ${"9".repeat(left() + 30)}\n\n`),
  "a cursor in the grammar, of five million characters": () =>
    server.raw(`id: ${cursorOf(5)}${`;${"p".repeat(64)}=1`.repeat(left() / 67)}\n\n`),
  "a time with a comment of five million characters": () =>
    server.send("session", { expiresAt: `Jan 1 2099 00:00:00 (${"x".repeat(left() - 10)})` }),
  "requests and cancellations under ids of a million characters": () => {
    for (let n = 0; n < 6; n++) server.send("cancel", { id: `${n}`.repeat(1_000_000) });
    for (let n = 0; n < 6; n++) server.send("request", { id: `${n}`.repeat(1_000_000), tool: "t".repeat(1_000_000), args: {} });
  },
  "a thousand cancellations of long ids": () => {
    for (let n = 0; n < 1000; n++) server.send("cancel", { id: `${n}`.padStart(64, "x") });
  },
};

for (const [what, fill] of Object.entries(FILLINGS)) {
  test(`a server that sends ${what} has no request run again, over reloads`, async () => {
    session.save(storage);
    const host = await connected();
    host.on("session", () => host.session.save(storage));
    // Events without an id leave the reader at the last one that had one.
    server.send = (event, data) => server.raw(`event: ${event}\ndata: ${JSON.stringify({ cursor: cursorOf(9), ...data })}\n\n`);
    fill();
    const filled = new Promise((resolve) => host.on("gap", resolve));
    server.send("gap", { reason: "filled" });
    await filled;
    assert.match(await guest.call("pay", { amount: 5 }, { id: "r1" }), /^Paid 5/);
    for (let load = 0; load < 3; load++) {
      await reloaded();
      await replay("r1");
    }
    assert.deepEqual(paid, [5]);
    assert.ok(storage.used < QUOTA - 1_000_000, `${storage.used} characters are stored`);
  });
}

test("requests are remembered in the room reserved at the session's start, however full the storage is later", async () => {
  session.save(storage);
  await connected();
  storage.fill();
  for (let n = 1; n <= 3; n++) await guest.call("pay", { amount: n }, { id: `${n}`.repeat(32) });
  await reloaded();
  for (let n = 1; n <= 3; n++) await replay(`${n}`.repeat(32));
  assert.deepEqual(paid, [1, 2, 3]);
});

test("the reserve holds the ids of all requests that a session may run", () => {
  storage.quota = 10_000;
  const guard = new ReplayGuard("name", storage, assert.fail, 100);
  guard.reserve();
  storage.fill();
  const ids = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(32, "0"));
  for (const id of ids) assert.equal(guard.admit(id), null, id);
  const again = new ReplayGuard("name", storage, assert.fail, 100);
  for (const id of ids) assert.equal(again.refusal(id).code, "already_run");
  assert.equal(guard.admit("more").code, "session_full");
  guard.close();
  assert.equal(storage.getItem(storageKey("reserve", "name")), null);
  assert.equal(ReplayGuard.isOver("name", storage), true);
});

test("a tab that can't remember a request does not run it, says so encrypted, and runs it once there is room", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  session.save(storage);
  storage.fill();
  const host = await connected();
  const error = await guest.call("pay", { amount: 5 }, { id: "r1" }).catch((reason) => reason);
  assert.deepEqual([error.name, error.code, error.authenticated], ["ToolError", "not_remembered", true]);
  assert.ok(host.errors.some(({ name }) => name === "QuotaExceededError"));
  // There was no room to reserve either.
  assert.equal(warn.mock.callCount(), 1);
  for (let load = 0; load < 2; load++) {
    await reloaded();
    await replay("r1");
  }
  assert.deepEqual(paid, []);
  storage.removeItem("ballast");
  await replay("r1");
  assert.deepEqual(paid, [5]);
  await reloaded();
  await replay("r1");
  assert.deepEqual(paid, [5]);
});

test("an id is taken back if it can't be stored, also in a storage that drops it without an error", () => {
  const errors = [];
  for (const setItem of [() => {}, () => { throw new Error("full"); }]) {
    const broken = new FakeStorage();
    const guard = new ReplayGuard("name", broken, (error) => errors.push(error), 2);
    const works = broken.setItem;
    broken.setItem = setItem;
    for (const id of ["a", "b", "c", "a"]) assert.equal(guard.admit(id).code, "not_remembered");
    broken.setItem = works;
    assert.deepEqual([guard.admit("a"), guard.admit("a").code, guard.admit("b")], [null, "already_run", null]);
    assert.equal(broken.getItem(storageKey("seen", "name")), "a,b");
  }
  assert.equal(errors.length, 8);
});

test("without a storage the ids are remembered for as long as the page", () => {
  const guard = new ReplayGuard("name", null, assert.fail);
  guard.reserve();
  assert.deepEqual([guard.admit("a"), guard.admit("a").code], [null, "already_run"]);
});

test("a request whose answer can't be stored is not run again as one that was interrupted", async () => {
  session.save(storage);
  await connected();
  const { setItem } = storage;
  // Room for the note that it runs, none for the answer.
  storage.setItem = (key, value) => {
    if (key.startsWith("waypost.ledger.") && value.includes("Receipt")) throw new Error("full");
    setItem(key, value);
  };
  await guest.call("pay", { amount: 5 }, { id: "r1" });
  await reloaded();
  assert.equal((await replay("r1")).error, undefined);
  assert.deepEqual(paid, [5]);
});

test("of what does not fit, the request store keeps the newest", () => {
  const small = new FakeStorage();
  small.quota = 150_000;
  const errors = [];
  const requests = new RequestStore({ memory: "name" }, small, (error) => errors.push(error.name));
  for (let n = 0; n < 6; n++) requests.set(`r${n}`, { status: "answered", tool: "t", answer: { result: "x".repeat(40_000) } });
  const again = new RequestStore({ memory: "name" }, small, assert.fail);
  assert.deepEqual([again.find("r5")?.status, again.find("r0")], ["answered", undefined]);
  assert.ok(errors.length > 0);
  small.quota = 0;
  requests.set("r6", { status: "cancelled" });
  assert.equal(small.getItem(storageKey("ledger", "name")), null);
});

test("an answer takes the place of another one to the same request that waits to be sent", async () => {
  const sent = [];
  const done = [];
  const faults = [new ApiError(503, "unavailable", "Later."), null];
  const outbox = new Outbox({
    send: async (_call, answer) => {
      sent.push(answer.result);
      const fault = faults.shift();
      if (fault) throw fault;
    },
    delivered: (_call, answer) => done.push(answer.result),
    refused: assert.fail,
    fail: () => outbox.put({ id: "r1", tool: "pay" }, { result: "second" }),
  });
  outbox.put({ id: "r1", tool: "pay" }, { result: "first" });
  await until(() => done.length === 1);
  assert.deepEqual([sent, done], [["first", "second"], ["second"]]);
});

for (const fault of [null, new ApiError(413, "too_large", "No.")]) {
  test(`an answer is sent although another one was ${fault ? "refused" : "taken"} while it came`, async () => {
    const sent = [];
    const done = [];
    const outbox = new Outbox({
      send: async (_call, answer) => {
        sent.push(answer.result);
        if (sent.length > 1) return;
        outbox.put({ id: "r1", tool: "pay" }, { result: "second" });
        if (fault) throw fault;
      },
      delivered: (_call, answer) => done.push(answer.result),
      refused: assert.fail,
      fail: assert.fail,
    });
    outbox.put({ id: "r1", tool: "pay" }, { result: "first" });
    await until(() => done.length === 1);
    assert.deepEqual([sent, done], [["first", "second"], ["second"]]);
  });
}

test("an `always` that was withdrawn does not come back from a storage that is full", () => {
  const errors = [];
  const made = () => new Approvals({ memory: "name", storage, approver: () => "refuse", decided() {}, fail: (error) => errors.push(error) });
  const write = { definition: { name: "write" }, handler() {} };
  const read = { definition: { name: "read", annotations: { readOnlyHint: true } }, handler() {} };
  made().setRequired(write, false);
  assert.equal(made().isRequired(write), false);
  const first = made();
  first.setRequired(read, true);
  const works = storage.setItem;
  // Only what needs approval fits.
  storage.setItem = (key, value) => {
    if (value.includes("false")) throw new Error("full");
    works(key, value);
  };
  first.setRequired({ ...write, definition: { name: "other" } }, false);
  assert.deepEqual([made().isRequired(write), made().isRequired(read)], [true, true]);
  storage.setItem = works;
  made().setRequired(write, false);
  const second = made();
  storage.setItem = () => {
    throw new Error("full");
  };
  second.setRequired(write, true);
  storage.setItem = works;
  assert.equal(made().isRequired(write), true);
  assert.equal(errors.length > 0, true);
});

test("a session stays without its ids only if it can't be restored either", () => {
  for (let n = 0; n < 50; n++) {
    storage.setItem(storageKey("seen", `s${n}`), "x");
    retain(`s${n}`, storage, assert.fail);
  }
  storage.setItem = () => {
    throw new Error("full");
  };
  retain("s50", storage, () => {});
  assert.equal(storage.getItem(storageKey("seen", "s0")), "x");
});

test("room is reserved for the newest session alone", () => {
  for (const name of ["old", "new"]) {
    retain(name, storage, assert.fail);
    new ReplayGuard(name, storage, assert.fail).reserve();
  }
  assert.equal(storage.getItem(storageKey("reserve", "old")), null);
  assert.equal(storage.getItem(storageKey("reserve", "new")).length, 330_000);
});

test("a message under an id that would be read back as others is not run", async () => {
  const host = await connected();
  for (const id of ["a,b", ",", "", "x".repeat(65), 7, null, undefined]) server.send("request", { id, tool: "pay", args: {} });
  server.send("request", { id: "r1", tool: "pay\n", args: {} });
  server.send("request", { id: "r1", tool: "pay", args: {}, cursor: "c1" });
  server.send("cancel", { id: "r1", cursor: "c1" });
  await until(() => host.errors.length === 10);
  assert.ok(host.errors.every(({ code }) => code === "bad_event"));
  assert.equal(storage.getItem(storageKey("seen", session.memory)), "");
  assert.equal(server.sent("POST /api/response").length, 0);
});

test("cursors count in their grammar and below 4,096 characters only", () => {
  const uuid = cursorOf(7);
  const numbers = (count) => `;${"p".repeat(64)}=9007199254740991`.repeat(count);
  for (const cursor of [uuid, `${uuid}~${uuid}`, `${uuid};p.1=7`, `${uuid}~${uuid}${numbers(8)}`, `${uuid}${numbers(49)}`]) {
    assert.equal(isCursor(cursor), true, cursor);
  }
  const odd = ["", "c1", `${uuid}\n`, `${uuid}~`, `${uuid};p=0`, `${uuid};=1`, uuid.toUpperCase(), `${uuid}${numbers(50)}`, 7, null, {}];
  for (const cursor of odd) assert.equal(isCursor(cursor), false, `${cursor}`);
  assert.equal(isAboutRequest(null), false);
  assert.deepEqual([isToolName("a/b.c-d_e"), isToolName("a b"), isToolName("x".repeat(129))], [true, false, false]);
});

test("times count as ISO 8601 only, and are kept as Date writes them", () => {
  assert.equal(isoTime("2026-11-26T10:00:00.000Z"), "2026-11-26T10:00:00.000Z");
  assert.equal(isoTime("2026-11-26T10:00:00.123456789+01:00"), "2026-11-26T09:00:00.123Z");
  for (const time of ["2026-13-01T00:00:00Z", "2026-11-26", "Jan 1 2099 00:00:00 (x)", "2099-01-01T00:00:00Z (x)", "", 5, null, undefined]) {
    assert.equal(isoTime(time), null, `${time}`);
  }
  session.update({ expiresAt: "2099-01-01T00:00:00+00:00" });
  session.update({ expiresAt: "soon" });
  session.update({});
  assert.equal(session.toJSON().expiresAt, "2099-01-01T00:00:00.000Z");
});

test("what is no record of a session or a guest is refused", async (context) => {
  const whole = { code: "K7Q2M9XA", hostToken: "h", guestToken: "g", sessionId: "s", createdAt: "2026-11-26T10:00:00Z", expiresAt: "2026-11-26T11:00:00Z" };
  let reply;
  context.mock.method(globalThis, "fetch", async () => new Response(JSON.stringify(reply)));
  const big = "x".repeat(1_000_000);
  const odd = { code: [big, 12345678, undefined, "../../x"], hostToken: [big, ""], sessionId: [big, null], createdAt: ["now"], expiresAt: [big, undefined] };
  for (const [name, values] of Object.entries(odd)) {
    for (const value of values) {
      reply = { ...whole, [name]: value };
      await assert.rejects(createSession({ baseUrl: server.url }), { code: "bad_reply" }, name);
    }
  }
  for (const bad of [{ ...whole, code: big }, { ...whole, guestToken: big }, null]) {
    reply = bad;
    await assert.rejects(joinSession("K7Q2M9XA", { baseUrl: server.url }), { code: "bad_reply" });
  }
  reply = whole;
  assert.equal((await createSession({ baseUrl: server.url })).sessionId, "s");
});

test("a Retry-After of more than a day counts as a day: a longer timer would fire immediately", () => {
  for (const value of ["99999999999", "Fri, 31 Dec 9999 23:59:59 GMT"]) assert.equal(retryAfter(value, 0), 24 * 3_600_000);
});
