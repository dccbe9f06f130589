/** A host whose storage writes later: what a crash could make it forget does not run yet. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { createSession, Host, joinSession } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

/** A storage that is told when, and whether, what it was given is kept. */
class LateStorage extends FakeStorage {
  #waiting = [];

  written = () => new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));

  get isAsked() {
    return this.#waiting.length > 0;
  }

  /** @param {boolean} always what is set from now on is kept immediately */
  keep(always = false) {
    if (always) this.written = async () => {};
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  /** Keeps nothing of it, and what is set from now on immediately. */
  lose() {
    this.written = async () => {};
    for (const { reject } of this.#waiting.splice(0)) reject(new Error("The disk is full."));
  }
}

let server;
let storage;
let host;
let ran;
let errors;

beforeEach(async () => {
  server = await new FakeServer().start();
  storage = new LateStorage();
  ran = [];
  errors = [];
});

afterEach(async () => {
  await host.close();
  server.stop();
});

async function open(options) {
  const session = await createSession({ baseUrl: server.url, ...options });
  host = new Host(session, { storage }).tool({ name: "add" }, ({ a }, { id }) => (ran.push(id), a));
  host.on("error", ({ error }) => errors.push(error.message));
  await host.connect();
  return session;
}

const answers = () => server.sent("POST /api/response").map(({ id, result, error }) => [id, error?.code ?? result]);

test("a call runs once it is written that it does, and its answer is sent once that is written", async () => {
  await open();
  server.send("request", { id: "r1", tool: "add", args: { a: 1 } });
  await until(() => storage.isAsked);
  assert.deepEqual(ran, []);
  storage.keep();
  await until(() => ran.length);
  await until(() => storage.isAsked);
  assert.deepEqual([ran, answers()], [["r1"], []]);
  storage.keep();
  await until(() => answers().length);
  assert.deepEqual(answers(), [["r1", 1]]);
});

test("a call that is taken back meanwhile does not run", async () => {
  await open();
  server.send("request", { id: "r1", tool: "add", args: { a: 1 } });
  await until(() => storage.isAsked);
  const cancelled = new Promise((resolve) => host.on("cancel", resolve));
  server.send("cancel", { id: "r1" });
  await cancelled;
  storage.keep();
  server.send("request", { id: "r2", tool: "add", args: { a: 2 } });
  await until(() => storage.isAsked);
  storage.keep(true);
  await until(() => answers().length);
  assert.deepEqual([ran, answers()], [["r2"], [["r2", 2]]]);
});

test("where it can't be written, the call runs and the failure is reported, as with a storage that is full", async () => {
  await open();
  server.send("request", { id: "r1", tool: "add", args: { a: 1 } });
  await until(() => storage.isAsked);
  storage.lose();
  await until(() => answers().length);
  assert.deepEqual([ran, errors], [["r1"], ["The disk is full."]]);
});

test("an encrypted session refuses a call that it might run again", async () => {
  server.relay = (_, body) => body;
  const session = await open({ encrypted: true });
  const guest = await joinSession(session.link);
  const refused = assert.rejects(guest.call("add", { a: 1 }), { code: "not_remembered" });
  await until(() => storage.isAsked);
  storage.lose();
  await refused;
  assert.deepEqual([ran, errors], [[], ["The disk is full."]]);
});
