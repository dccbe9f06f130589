/** The storage kinds of the packed package. */

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { createSession, Host, Session } from "waypost";
import { fileStorage } from "waypost/node";
import { asyncStorage, memoryStorage, webStorage } from "waypost/storage";

import { FakeServer, until } from "./fake-server.mjs";

const folder = mkdtempSync(join(tmpdir(), "waypost-storage-"));
after(() => rmSync(folder, { recursive: true }));

/** AsyncStorage, as far as it is used: it answers in a later turn, or fails. */
class Phone {
  items = new Map();
  log = [];
  isBroken = false;
  async #later(say) {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.isBroken) throw new Error("The disk is full.");
    return say();
  }
  getItem = (key) => this.#later(() => this.items.get(key) ?? null);
  setItem = (key, value) => this.#later(() => void (this.log.push(key), this.items.set(key, value)));
  removeItem = (key) => this.#later(() => void (this.log.push(`-${key}`), this.items.delete(key)));
}

const kinds = {
  memory: memoryStorage,
  file: () => fileStorage(mkdtempSync(join(folder, "kind-"))),
  async: () => asyncStorage(new Phone()),
};
for (const [name, make] of Object.entries(kinds)) {
  test(`${name}: what is set is there until it is removed`, async () => {
    const storage = await make();
    assert.equal(storage.getItem("a"), null);
    storage.setItem("a", "1");
    storage.setItem("https://w.example/../é", "two\nlines");
    assert.deepEqual([storage.getItem("a"), storage.getItem("https://w.example/../é")], ["1", "two\nlines"]);
    storage.setItem("a", "");
    assert.equal(storage.getItem("a"), "");
    storage.removeItem("a");
    storage.removeItem("a");
    assert.equal(storage.getItem("a"), null);
  });
}

test("web: there is none in a program, or it is the tab's", () => {
  assert.equal(webStorage(), globalThis.sessionStorage ?? null);
});

test("file: only this user can read it, and a write that was cut off leaves the old value", () => {
  const place = join(folder, "new", "state");
  const storage = fileStorage(place);
  storage.setItem("a", "1");
  writeFileSync(join(place, "a.new"), "half of it");
  assert.equal(fileStorage(place).getItem("a"), "1");
  const modes = [place, join(place, "a")].map((path) => statSync(path).mode & 0o777);
  assert.deepEqual(modes, [0o700, 0o600]);
  storage.setItem("a", "2");
  assert.deepEqual([fileStorage(place).getItem("a"), readdirSync(place)], ["2", ["a"]]);
});

test("file: what can't be read or written is an error, not an empty storage", () => {
  const place = join(folder, "broken");
  const storage = fileStorage(place);
  fileStorage(join(place, "a"));
  assert.throws(() => storage.getItem("a"), { code: "EISDIR" });
  assert.throws(() => storage.setItem("a", "1"));
});

test("async: another start finds all that was written, and removed things stay removed", async () => {
  const phone = new Phone();
  const storage = await asyncStorage(phone);
  for (const key of ["a", "b", "c"]) storage.setItem(key, key);
  storage.removeItem("b");
  storage.setItem("a", "A");
  await storage.written();
  const again = await asyncStorage(phone);
  assert.deepEqual(["a", "b", "c"].map((key) => again.getItem(key)), ["A", null, "c"]);
  again.removeItem("a");
  again.setItem("d", "d");
  await again.written();
  assert.deepEqual([phone.items.get("waypost.index"), phone.items.has("a")], ["c\nd", false]);
});

test("async: a value is written after its name, and one that changes meanwhile is written again", async () => {
  const phone = new Phone();
  const storage = await asyncStorage(phone);
  storage.setItem("a", "1");
  await until(() => phone.log.includes("waypost.index"));
  for (let value = 2; value < 10; value++) storage.setItem("a", `${value}`);
  await storage.written();
  assert.deepEqual([phone.log[0], phone.items.get("a")], ["waypost.index", "9"]);
  // The first one, one that was begun, and the last one.
  assert.ok(phone.log.filter((key) => key === "a").length <= 3, "every value in between was written");
});

test("async: a write that failed is an error until it has succeeded, and nothing is lost by it", async () => {
  const phone = new Phone();
  const storage = await asyncStorage(phone);
  phone.isBroken = true;
  storage.setItem("a", "1");
  await assert.rejects(storage.written(), { message: "The disk is full." });
  phone.isBroken = false;
  assert.throws(() => storage.setItem("b", "2"), { message: "The disk is full." });
  await storage.written();
  storage.setItem("b", "2");
  await storage.written();
  assert.deepEqual([phone.items.get("a"), phone.items.get("b")], ["1", "2"]);
});

/** Each makes a place, and opens it again and again. */
const places = {
  file: (place = mkdtempSync(join(folder, "host-"))) => () => fileStorage(place),
  async: (phone = new Phone()) => () => asyncStorage(phone),
};
for (const [name, make] of Object.entries(places)) {
  test(`${name}: a host that was killed in a call comes back to its session, and its call is not new`, async () => {
    const server = await new FakeServer().start();
    const open = make();
    const start = async (handler) => {
      const storage = await open();
      const session = Session.restore(storage) ?? (await createSession({ baseUrl: server.url }));
      session.save(storage);
      const host = new Host(session, { storage }).tool({ name: "add" }, handler);
      await host.connect();
      return host;
    };
    const began = [];
    await start((_, { id, restarted }) => (began.push([id, restarted]), new Promise(() => {})));
    server.send("request", { id: "r1", tool: "add" });
    await until(() => began.length);
    // Killed: nothing is closed.
    const host = await start((_, { id, restarted }) => (began.push([id, restarted]), "done"));
    assert.equal(server.sent("POST /api/sessions").length, 1);
    server.send("request", { id: "r1", tool: "add", replay: true });
    await until(() => server.sent("POST /api/response").length);
    assert.deepEqual(began, [["r1", false], ["r1", true]]);
    await host.close();
    server.stop();
  });
}
