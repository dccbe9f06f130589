/** The MCP address of a browser: kept for each server, taken by each new session, claimed and renewed. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, beforeEach, test } from "node:test";

import { createSession, Session } from "../../src/site/waypost.js";
import { FakeStorage } from "./fake-server.mjs";

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** Just the addresses of a server: which session has which, and which were withdrawn. */
class FakeAddresses {
  /** What was asked: `METHOD /path`, and the secret. */
  asked = [];
  holders = new Map();
  withdrawn = new Set();
  /** Secret -> its address. */
  #addresses = new Map();
  /** Routes to refuse once, with a status. */
  faults = [];
  #sessions = 0;

  async start() {
    this.server = createServer((request, response) => this.#serve(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}/`;
    return this;
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }

  addressOf(secret) {
    if (!this.#addresses.has(secret)) this.#addresses.set(secret, `${this.#addresses.size}`.padStart(32, "a"));
    return this.#addresses.get(secret);
  }

  async #serve(request, response) {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : {};
    const secret = body.addressSecret ?? body.secret ?? request.headers.authorization?.replace("Bearer ", "");
    const route = `${request.method} ${request.url}`;
    this.asked.push([route, secret]);
    const refuse = (status, code) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify({ code }));
    const fault = this.faults.findIndex((pattern) => route.startsWith(pattern));
    if (fault >= 0) return this.faults.splice(fault, 1), refuse(503, "storage_unavailable");
    const address = secret && this.addressOf(secret);
    if (request.method === "DELETE") {
      if (!request.url.endsWith(address)) return refuse(403, "wrong_secret");
      this.withdrawn.add(address);
      return response.writeHead(204).end();
    }
    if (this.withdrawn.has(address)) return refuse(410, "address_withdrawn");
    const code = request.method === "POST" ? `K7Q2M9X${this.#sessions++}` : request.url.split("/")[3];
    if (address) this.holders.set(address, code);
    const time = new Date(Date.now() + 600_000).toISOString();
    const reply = { code, address, hostToken: "host-token", createdAt: time, expiresAt: time };
    response.writeHead(201, { "content-type": "application/json" }).end(JSON.stringify(reply));
  }
}

let server;
let storage;

beforeEach(async () => {
  server = await new FakeAddresses().start();
  storage = new FakeStorage();
});

afterEach(() => server.stop());

const open = (options = {}) => createSession({ baseUrl: server.url, address: true, storage, ...options });

test("every session of a browser has the same address, and none without the option", async () => {
  const [first, second, plain] = [await open(), await open(), await open({ address: false })];
  assert.equal(first.address, second.address);
  assert.equal(second.mcpUrl, `${server.url}mcp/${second.address}`);
  assert.equal(server.holders.get(second.address), second.code);
  assert.equal(plain.address, undefined);
  assert.equal(plain.mcpUrl, `${server.url}mcp/${plain.code}`);
});

test("the secret is random, stays in the storage, and is sent in the body only", async () => {
  await open();
  const [[key, secret]] = storage.items;
  assert.equal(key, `waypost.address.${new URL(server.url).origin}`);
  assert.match(secret, SECRET);
  assert.deepEqual(server.asked, [["POST /api/sessions", secret]]);
  storage.items.clear();
  await open();
  assert.notEqual([...storage.items.values()][0], secret);
});

test("a session does not hold the secret, and keeps its address over a reload", async () => {
  const session = await open();
  const secret = [...storage.items.values()][0];
  assert.ok(!JSON.stringify(session).includes(secret));
  const tab = new FakeStorage();
  session.save(tab);
  assert.equal(Session.restore(tab).address, session.address);
  assert.equal(Session.restore(tab).mcpUrl, session.mcpUrl);
});

test("another server gets another secret", async () => {
  const other = await new FakeAddresses().start();
  try {
    await open();
    await open({ baseUrl: other.url });
    assert.equal(new Set(storage.items.values()).size, 2);
  } finally {
    other.stop();
  }
});

test("what is no secret is replaced", async () => {
  const key = `waypost.address.${new URL(server.url).origin}`;
  storage.setItem(key, "not a secret");
  await open();
  assert.match(storage.getItem(key), SECRET);
});

const refuse = () => {
  throw new DOMException("Not here.", "SecurityError");
};
const BLOCKED = [
  ["is not there", null],
  ["throws", Object.assign(new FakeStorage(), { getItem: refuse, setItem: refuse })],
  ["is full", Object.assign(new FakeStorage(), { setItem: refuse })],
  ["drops what it takes", Object.assign(new FakeStorage(), { setItem() {} })],
];
for (const [what, blocked] of BLOCKED) {
  test(`where the storage ${what}, a session has no address and says why it can't take one`, async () => {
    const session = await open({ storage: blocked });
    assert.equal(session.address, undefined);
    assert.equal(session.mcpUrl, `${server.url}mcp/${session.code}`);
    assert.deepEqual(server.asked, [["POST /api/sessions", undefined]]);
    await assert.rejects(session.claimAddress(blocked), { code: "storage_blocked" });
    await assert.rejects(session.renewAddress(blocked), { code: "storage_blocked" });
  });
}

test("without an option the address is kept in localStorage, if there is one", async () => {
  const own = Object.getOwnPropertyDescriptor(globalThis, "localStorage");
  try {
    Object.defineProperty(globalThis, "localStorage", { configurable: true, value: storage });
    assert.equal((await open({ storage: undefined })).address, (await open()).address);
    Object.defineProperty(globalThis, "localStorage", { configurable: true, get: refuse });
    assert.equal((await open({ storage: undefined })).address, undefined);
  } finally {
    if (own) Object.defineProperty(globalThis, "localStorage", own);
    else delete globalThis.localStorage;
  }
});

test("a tab whose secret is overwritten by a faster tab uses that one", async () => {
  const faster = await open();
  const secret = [...storage.items.values()][0];
  const racing = new FakeStorage();
  racing.setItem = (key) => void racing.items.set(key, secret);
  assert.equal((await open({ storage: racing })).address, faster.address);
});

test("an older session claims the address", async () => {
  const older = await open();
  await open();
  assert.equal(await older.claimAddress(storage), older.address);
  assert.equal(server.holders.get(older.address), older.code);
});

test("a session that was created without an address takes one later", async () => {
  const session = await open({ address: false });
  assert.equal(await session.claimAddress(storage), session.address);
  assert.equal((await open()).address, session.address);
});

test("renewing withdraws the old address and takes a new one, which the next session has too", async () => {
  const session = await open();
  const old = session.address;
  const secret = [...storage.items.values()][0];
  assert.equal(await session.renewAddress(storage), session.address);
  assert.notEqual(session.address, old);
  assert.deepEqual([...server.withdrawn], [old]);
  assert.equal(server.holders.get(session.address), session.code);
  assert.equal((await open()).address, session.address);
  // The secret is in a header where it is not in a body, and never in a URL.
  assert.ok(server.asked.every(([route]) => !route.includes(secret)));
});

test("a session without a kept address renews to one", async () => {
  const session = await open();
  storage.items.clear();
  await session.renewAddress(storage);
  assert.equal(server.withdrawn.size, 0);
  assert.equal((await open()).address, session.address);
});

test("another tab renews what this tab has renewed", async () => {
  const [one, other] = [await open(), await open()];
  const first = one.address;
  const second = await one.renewAddress(storage);
  await other.renewAddress(storage);
  assert.deepEqual([...server.withdrawn], [first, second]);
  assert.ok(!server.withdrawn.has(other.address));
});

for (const route of ["PUT", "DELETE"]) {
  test(`a renewal whose first ${route} fails changes nothing, and is repeated`, async () => {
    const session = await open();
    const old = session.address;
    server.faults.push(route);
    await assert.rejects(session.renewAddress(storage), { status: 503 });
    assert.equal(session.address, old);
    await session.renewAddress(storage);
    assert.ok(server.withdrawn.has(old));
    assert.ok(!server.withdrawn.has(session.address));
  });
}

test("a browser whose address was withdrawn elsewhere opens its session with a new one", async () => {
  const session = await open();
  server.withdrawn.add(session.address);
  const next = await open();
  assert.notEqual(next.address, session.address);
  assert.equal((await open()).address, next.address);
  await session.renewAddress(storage);
  assert.ok(!server.withdrawn.has(session.address));
});

test("an encrypted session has no address, and takes none", async () => {
  await assert.rejects(open({ encrypted: true }), { code: "encrypted" });
  assert.deepEqual(server.asked, []);
  const session = await open({ encrypted: true, address: false });
  await assert.rejects(session.claimAddress(storage), { code: "encrypted" });
  await assert.rejects(session.renewAddress(storage), { code: "encrypted" });
});

test("what is no address is no reply", async () => {
  server.addressOf = () => "x".repeat(5000);
  await assert.rejects(open(), { code: "bad_reply" });
  const session = await open({ address: false });
  await assert.rejects(session.claimAddress(storage), { code: "bad_reply" });
});
