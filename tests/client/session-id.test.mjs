/** The id of the tab's conversation, and questions asked with it. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { clearSessionId, getSessionId, voice } from "../../src/site/waypost.js";
import { FakeChat, reply } from "./fake-chat.mjs";
import { FakeStorage } from "./fake-server.mjs";

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A storage that refuses, as browsers do where the user forbids it, or when it is full. */
class ThrowingStorage extends FakeStorage {
  getItem = () => refuse();
  setItem = () => refuse();
  removeItem = () => refuse();
}

function refuse() {
  throw new DOMException("Not here.", "SecurityError");
}

beforeEach(() => clearSessionId(null));

test("the id is a random UUID that stays as long as the tab's storage", () => {
  const storage = new FakeStorage();
  const id = getSessionId(storage);
  assert.match(id, UUID_V4);
  assert.equal(getSessionId(storage), id);
});

test("another tab has another id", () => {
  assert.notEqual(getSessionId(new FakeStorage()), getSessionId(new FakeStorage()));
});

test("clearing gives a new id", () => {
  const storage = new FakeStorage();
  const id = getSessionId(storage);
  clearSessionId(storage);
  assert.notEqual(getSessionId(storage), id);
});

test("without randomUUID, which plain HTTP lacks, the id is made from random bytes", () => {
  const own = Object.getOwnPropertyDescriptor(Crypto.prototype, "randomUUID");
  delete Crypto.prototype.randomUUID;
  try {
    assert.equal(crypto.randomUUID, undefined);
    const ids = Array.from({ length: 100 }, () => getSessionId(new FakeStorage()));
    for (const id of ids) assert.match(id, UUID_V4);
    assert.equal(new Set(ids).size, 100);
  } finally {
    Object.defineProperty(Crypto.prototype, "randomUUID", own);
  }
});

for (const [what, make] of [["throws", () => new ThrowingStorage()], ["is not there", () => null]]) {
  test(`where the storage ${what}, the id lasts as long as the page`, () => {
    const storage = make();
    const id = getSessionId(storage);
    assert.match(id, UUID_V4);
    assert.equal(getSessionId(storage), id);
    clearSessionId(storage);
    assert.notEqual(getSessionId(storage), id);
  });
}

test("a storage that drops what it takes counts as one that throws", () => {
  const storage = Object.assign(new FakeStorage(), { setItem() {} });
  assert.equal(getSessionId(storage), getSessionId(storage));
});

test("a stored id is not mistaken for another tab's", () => {
  const id = getSessionId(null);
  assert.equal(getSessionId(null), id);
  const storage = new FakeStorage();
  storage.setItem("waypost.sessionId", "kept");
  assert.equal(getSessionId(storage), "kept");
});

let server;

beforeEach(async () => {
  server = await new FakeChat().start();
  server.other = (route, body, response) => {
    if (!body.sessionId) return reply(response, 400, { code: "session_id_required", detail: "Session ID required" });
    reply(response, 200, { response: `You said: ${body.question}`, sessionId: body.sessionId, messageCount: 2 });
  };
});

afterEach(() => server.stop());

test("a question is asked with the tab's id, or with the one given", async () => {
  const baseUrl = server.url;
  const sessionId = getSessionId();
  assert.deepEqual(await voice("Hi", { baseUrl }), { response: "You said: Hi", sessionId, messageCount: 2 });
  assert.equal((await voice("Hi", { baseUrl, sessionId: "mine" })).sessionId, "mine");
  const session = { code: "K7Q2M9XA" };
  await voice("Hi", { baseUrl, session });
  assert.deepEqual(server.sent("POST /api/voice-agent/chat").at(-1).session, session);
  const refusal = { status: 400, code: "session_id_required", message: "Session ID required" };
  await assert.rejects(voice("Hi", { baseUrl, sessionId: "" }), refusal);
});

test("a question that may have been lost is not asked twice", async () => {
  server.faults.push(["POST /api/voice-agent/chat", "drop"]);
  await assert.rejects(voice("Hi", { baseUrl: server.url }), { name: "TransportError" });
  assert.equal(server.sent("POST /api/voice-agent/chat").length, 1);
});
