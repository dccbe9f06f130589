/** `useHost()` and `useTool()` of the packed package, under StrictMode, against a server that fails on purpose. */

import assert from "node:assert/strict";
import { after, afterEach, beforeEach, test } from "node:test";

import { useHost, useTool } from "waypost/react";
import { memoryStorage } from "waypost/storage";

import { FakeServer, until } from "./fake-server.mjs";
import { mount } from "./rendering.mjs";

// Full jitter multiplies by this: without chance, every delay is its floor.
Math.random = () => 0;

let server;
let storage;
let pages;

beforeEach(async () => {
  server = await new FakeServer().start();
  storage = memoryStorage();
  pages = [];
});

/** What is still to be heard of a test: its hosts leave a moment after their components. @type {(() => Promise<void>)[]} */
const ends = [];

afterEach(() => {
  const listening = pages.map(({ now }) => now).filter(({ host, state }) => host && state !== "ended");
  const expected = left() + new Set(listening.map(({ host }) => host)).size;
  for (const page of pages) page.unmount();
  const leaving = server;
  ends.push(async () => {
    await until(() => left(leaving) === expected);
    leaving.stop();
  });
});

after(() => Promise.all(ends.map((end) => end())));

const ADD = { name: "add", description: "Adds" };
const left = (at = server) => at.sent("POST /api/sessions/K7Q2M9XA/leave").length;
const opened = () => server.sent("POST /api/sessions").length;
const published = () => server.sent("PUT /api/sessions/K7Q2M9XA/tools").map(({ tools }) => tools.map(({ name, description }) => [name, description]));
const answered = () => server.sent("POST /api/response").map(({ result, error }) => error?.code ?? result);

/** A component with a host and what `more` adds to it. */
function show(more = () => {}, props = {}, options = {}) {
  const page = mount((given) => {
    const host = useHost({ baseUrl: server.url, storage, ...options });
    more(host, given);
    return host;
  }, props);
  pages.push(page);
  return page;
}

const online = (page) => until(() => page.now?.state === "online");

test("a component that is mounted twice opens one session and one stream, and publishes its tools once", async () => {
  const page = show((host) => useTool(host, ADD, ({ a, b }) => a + b));
  await online(page);
  assert.deepEqual([opened(), server.sent("GET /api/stream").length, published()], [1, 1, [[["add", "Adds"]]]]);
  const { code, link, mcpUrl, error } = page.now;
  assert.deepEqual([code, link, mcpUrl, error], ["K7Q2M9XA", `${server.url}/#join=K7Q2M9XA`, `${server.url}/mcp/K7Q2M9XA`, undefined]);
  assert.deepEqual(page.all[0].state, "opening");
  server.send("request", { id: "r1", tool: "add", args: { a: 1, b: 2 } });
  await until(() => answered().length);
  assert.deepEqual(answered(), [3]);
});

test("components with one key share a host; the next page of an app takes it over; another key is another host", async () => {
  const [one, two] = [show(), show()];
  await online(one);
  await online(two);
  assert.equal(one.now.host, two.now.host);
  one.unmount();
  two.unmount();
  const next = show();
  await online(next);
  assert.deepEqual([next.now.host === one.now.host, opened(), left()], [true, 1, 0]);
  const other = show(undefined, {}, { key: "other" });
  await online(other);
  assert.deepEqual([other.now.host === next.now.host, opened()], [false, 2]);
  pages = [next, other];
});

test("a host that was left, or reloaded, comes back to its session", async () => {
  const before = show();
  await online(before);
  before.unmount();
  await until(() => left() === 1);
  pages = [];
  const after = show();
  await online(after);
  assert.deepEqual([after.now.host === before.now.host, opened()], [false, 1]);
});

test("a session that is gone after a reload is replaced; one that ends while it is open is not", async () => {
  const before = show();
  await online(before);
  before.unmount();
  await until(() => left() === 1);
  pages = [];
  server.faults = [["PUT /api/sessions/K7Q2M9XA/tools", 404, {}, "session_not_found"]];
  const after = show((host) => useTool(host, ADD, () => 1));
  await online(after);
  assert.deepEqual([opened(), published().at(-1)], [2, [["add", "Adds"]]]);
  assert.ok(after.all.every(({ state }) => state !== "ended"), "it showed an end");
  server.send("end", { reason: "expired" });
  await until(() => after.now.state === "ended");
  assert.equal(opened(), 2);
});

test("a handler sees what was rendered last, and only a definition that has changed is published again", async () => {
  const page = show((host, { name, price }) => useTool(host, { name, description: "Price" }, () => price), { name: "price", price: 1 });
  await online(page);
  await page.render({ name: "price", price: 2 });
  server.send("request", { id: "r1", tool: "price" });
  await until(() => answered().length);
  assert.deepEqual([answered(), published()], [[2], [[["price", "Price"]]]]);
  await page.render({ name: "cost", price: 3 });
  await until(() => published().length === 2);
  assert.deepEqual(published()[1], [["cost", "Price"]]);
});

test("of two tools with a name the later one is offered; when it goes, the earlier one is", async () => {
  const tool = (description) => (host, { here }) => useTool(host, { ...ADD, name: here, description }, () => description);
  const first = show(tool("first"), { here: "add" });
  await online(first);
  const second = show(tool("second"), { here: "add" });
  await until(() => published().at(-1)[0][1] === "second");
  await second.render({ here: "other" });
  await until(() => published().at(-1).length === 2);
  assert.deepEqual(published().at(-1).sort(), [["add", "first"], ["other", "second"]]);
  pages = [first];
  second.unmount();
  await until(() => published().at(-1).length === 1);
});

test("a definition that clients could not read is reported, and the other tools stay", async () => {
  const errors = [];
  const more = (host) => {
    useTool(host, ADD, () => 1);
    useTool(host, { name: "no good" }, () => 2);
  };
  const page = show(more, {}, { onError: (error) => errors.push(error.code) });
  await online(page);
  assert.deepEqual([errors, published()], [["invalid_tool"], [[["add", "Adds"]]]]);
});

test("the approver is the one that was rendered last, and a tool may have one of its own", async () => {
  const asked = [];
  const decide = (name, said) => ({ tool }) => (asked.push([name, tool]), said);
  const page = mount(({ said }) => {
    const host = useHost({ baseUrl: server.url, storage, approve: decide("host", said) });
    useTool(host, ADD, () => "added");
    useTool(host, { name: "own" }, () => "ran", { approve: decide("tool", said) });
    useTool(host, { name: "free" }, () => "ran", { approve: false });
    return host;
  }, { said: "refuse" });
  pages.push(page);
  await online(page);
  await page.render({ said: "once" });
  for (const [number, tool] of ["add", "own", "free"].entries()) server.send("request", { id: `r${number}`, tool });
  await until(() => answered().length === 3);
  assert.deepEqual(asked, [["host", "add"], ["tool", "own"]]);
  assert.deepEqual(answered().sort(), ["added", "ran", "ran"]);
});

test("a server that is away is asked again; one that refuses is not, until `retry()`", async () => {
  server.faults = [["POST /api/sessions", "drop"], ["POST /api/sessions", 403, {}, "no"]];
  const page = show();
  await until(() => page.now?.state === "failed");
  assert.deepEqual([page.all.some(({ state }) => state === "waiting"), page.now.error.code], [true, "no"]);
  page.now.retry();
  await online(page);
  assert.equal(page.now.error, undefined);
});

test("without a server it says what to write, and with `enabled: false` it does nothing", async () => {
  const lost = mount(() => useHost({ key: "lost", storage }));
  await until(() => lost.now?.state === "failed");
  assert.deepEqual([lost.now.error.code, lost.now.session], ["no_base_url", null]);
  const off = show(undefined, {}, { enabled: false });
  await until(() => off.now);
  assert.deepEqual([off.now.state, opened()], ["opening", 0]);
  lost.unmount();
});

test("`renew()` opens a session before it ends the one before, which stays if none can be opened", async () => {
  const page = show((host) => useTool(host, ADD, () => 1));
  await online(page);
  const { host } = page.now;
  server.faults = [["POST /api/sessions", 429, { "retry-after": "60" }, "rate_limited"]];
  await assert.rejects(page.now.renew(), { code: "rate_limited" });
  assert.deepEqual([page.now.state, page.now.host === host], ["online", true]);
  await page.now.renew();
  await online(page);
  assert.deepEqual([page.now.host === host, opened(), server.sent("DELETE /api/sessions/K7Q2M9XA").length], [false, 3, 1]);
  assert.deepEqual([published().at(-1), page.now.session.code], [[["add", "Adds"]], "K7Q2M9XA"]);
});

test("`end()` ends the session, and says so", async () => {
  const page = show();
  await online(page);
  await page.now.end();
  await until(() => page.now.state === "ended");
});

test("a storage that answers later is waited for", async () => {
  const page = show(undefined, {}, { storage: new Promise((resolve) => setImmediate(resolve, storage)) });
  await online(page);
  assert.match(storage.getItem(`waypost.react.${page.now.key}/waypost.session`), /K7Q2M9XA/);
});
