/** Two hosts of one session, in one browser and elsewhere: no request runs twice, and each host knows where it stands. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { createSession, Host, joinSession, Session } from "../../src/site/waypost.js";
import { ReplayGuard } from "../../src/site/client/storage/replay-guard.js";
import { installBrowser } from "./fake-browser.mjs";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

// Full jitter multiplies by this: without chance, every delay is its floor.
Math.random = () => 0;

let server;
let session;
let browser;
let pages;

beforeEach(async () => {
  server = await new FakeServer().start();
  browser = installBrowser();
  session = await createSession({ baseUrl: server.url });
  pages = [];
});

afterEach(async () => {
  await Promise.all(pages.map(({ host }) => host.close()));
  browser.uninstall();
  server.stop();
});

/** What "Duplicate tab" gives the new tab: a copy of the storage as it is now. */
function copyOf(storage) {
  const copy = new FakeStorage();
  for (const [key, value] of storage.items) copy.setItem(key, value);
  return copy;
}

/** A page with a host of the session that is stored for it; `ran` has the ids that ran in it, and whether again. */
function open(storage, { run = () => "done", approve } = {}) {
  const host = new Host(Session.restore(storage), { storage, approve });
  const page = { host, storage, ran: [], states: [], errors: [] };
  host.on("state", ({ state }) => page.states.push(state));
  host.on("error", ({ error }) => page.errors.push(error));
  host.tool({ name: "work" }, (args, { id, restarted }) => {
    page.ran.push(restarted ? `${id} again` : id);
    return run(args);
  });
  host.connect().catch(() => {});
  pages.push(page);
  return page;
}

function stored(of = session) {
  const storage = new FakeStorage();
  of.save(storage);
  return storage;
}

const is = (page, state) => until(() => page.host.state.state === state);
const answers = () => server.sent("POST /api/response").filter(({ final }) => final);
const goodbyes = () => server.sent("POST /api/sessions/K7Q2M9XA/leave").map(({ instance }) => instance);
const instances = () => server.sent("GET /api/stream").map(({ query }) => query.instance);

async function call(id, args = {}) {
  const before = answers().length;
  server.send("request", { id, tool: "work", args });
  await until(() => answers().length > before);
}

test("a copy of the tab waits, takes over when the first one closes, and runs nothing that the first one ran", async () => {
  const first = open(stored());
  await is(first, "online");
  const copy = open(copyOf(first.storage));
  await is(copy, "elsewhere");
  await call("r1");
  await call("r2");
  assert.deepEqual([first.ran, copy.ran], [["r1", "r2"], []]);
  await first.host.close();
  await is(copy, "online");
  // A stale listing shows a request that has been answered.
  server.send("request", { id: "r1", tool: "work", replay: true });
  await call("r3");
  assert.deepEqual([first.ran, copy.ran], [["r1", "r2"], ["r3"]]);
  assert.deepEqual(copy.errors, []);
});

test("a copy runs again what the first page was running when it closed, and says so", async () => {
  const first = open(stored(), { run: () => new Promise(() => {}) });
  await is(first, "online");
  const copy = open(copyOf(first.storage));
  await is(copy, "elsewhere");
  server.send("request", { id: "r1", tool: "work" });
  await until(() => first.ran.length === 1);
  await first.host.close();
  await is(copy, "online");
  await call("r1");
  assert.deepEqual(copy.ran, ["r1 again"]);
});

test("a copy that is to have a session of its own gets none of the first one's", async () => {
  const first = open(stored());
  await is(first, "online");
  assert.equal(await Session.claim(copyOf(first.storage)), null);
  await first.host.close();
  const again = await Session.claim(first.storage);
  assert.equal(again?.code, session.code);
  // The claim is the host's: it does not wait for it.
  const host = new Host(again, { storage: first.storage });
  await host.connect();
  assert.equal(await Session.claim(copyOf(first.storage)), null);
  await host.close();
  assert.equal(await Session.claim(new FakeStorage()), null);
});

test("a copy of an encrypted tab takes over with all that the first one has run", async () => {
  session = await createSession({ baseUrl: server.url, encrypted: true });
  server.relay = (_kind, body) => body;
  const guest = await joinSession(session.link, { baseUrl: server.url });
  const first = open(stored());
  await is(first, "online");
  const copy = open(copyOf(first.storage));
  await is(copy, "elsewhere");
  assert.equal(await guest.call("work", {}, { id: "r1" }), "done");
  await first.host.close();
  await is(copy, "online");
  assert.equal(await guest.call("work", {}, { id: "r2" }), "done");
  assert.deepEqual([first.ran, copy.ran], [["r1"], ["r2"]]);
});

test("a copy of an encrypted tab that can't know what the first one has run ends the session", async () => {
  session = await createSession({ baseUrl: server.url, encrypted: true });
  const storage = stored();
  const other = new Session(session.toJSON());
  const held = await other.lock.acquire(new AbortController().signal, () => {});
  const channel = new BroadcastChannel(`waypost.${session.memory}`);
  // It answers, and is gone without its last word, as when the browser has killed it.
  channel.onmessage = ({ data }) => data.ask && channel.postMessage({ memory: { entries: [], cursor: "", seen: [] } });
  const copy = open(storage);
  await is(copy, "elsewhere");
  held.release();
  await is(copy, "ended");
  channel.close();
  assert.equal(copy.host.state.error.code, "not_handed_over");
  assert.equal(Session.restore(storage), null);
});

test("ids that another page has run are stored, but not in place of the end of the session", () => {
  const storage = new FakeStorage();
  const guard = new ReplayGuard("m", storage, assert.fail);
  assert.equal(guard.admit("r1"), null);
  assert.equal(guard.adopt(["r2"]), true);
  assert.deepEqual(new ReplayGuard("m", storage, assert.fail).ids, ["r1", "r2"]);
  assert.equal(guard.admit("r2").code, "already_run");
  guard.close();
  assert.equal(new ReplayGuard("m", storage, assert.fail).adopt(["r3"]), false);
  assert.ok(ReplayGuard.isOver("m", storage));
  const full = new FakeStorage();
  full.quota = 0;
  const errors = [];
  assert.equal(new ReplayGuard("m", full, (error) => errors.push(error)).adopt(["r1"]), false);
  assert.equal(errors.length, 1);
});

test("a page that is loaded again does not wait, and says goodbye to the server with its instance", async () => {
  const storage = stored();
  const first = open(storage);
  await is(first, "online");
  browser.hide();
  const again = open(storage);
  await is(again, "online");
  assert.ok(!again.states.includes("elsewhere"));
  await until(() => goodbyes().length === 1);
  const [before, after] = instances();
  assert.equal(goodbyes()[0], before);
  assert.notEqual(before, after);
});

test("a page from the back/forward cache comes back as a new instance", async () => {
  const page = open(stored());
  await is(page, "online");
  browser.hide(true);
  await until(() => goodbyes().length === 1);
  browser.show();
  await until(() => instances().length === 2);
  await call("r1");
  assert.deepEqual(page.ran, ["r1"]);
  assert.equal(new Set(instances()).size, 2);
});

test("a page from the back/forward cache knows what ran in this tab meanwhile", async () => {
  const storage = stored();
  const cached = open(storage);
  await is(cached, "online");
  browser.hide(true);
  const next = open(storage);
  await is(next, "online");
  await call("r1");
  await next.host.close();
  browser.show();
  await until(() => instances().length === 3);
  await call("r1");
  assert.deepEqual([next.ran, cached.ran], [["r1"], []]);
});

test("a reconnect sends the instance that the server gave, so that the host does not supersede itself", async () => {
  const page = open(stored());
  await is(page, "online");
  server.cut();
  await until(() => instances().length === 2);
  const [first, second] = instances();
  assert.match(second, new RegExp(`^${first}\\.[0-9]+$`));
  await is(page, "online");
});

test("a host elsewhere supersedes this one, which takes nothing more, does not come back, and can take over", async () => {
  const first = open(stored());
  await is(first, "online");
  // Another browser: another storage, other locks, no channel between them.
  const elsewhere = installBrowser();
  const second = open(stored(new Session({ ...session.toJSON(), tabId: "another" })));
  await is(second, "online");
  await is(first, "superseded");
  assert.deepEqual(first.host.state.since, new Date("2026-11-26T12:00:00.000Z"));
  await until(() => goodbyes().length === 1);
  await call("r1");
  assert.deepEqual([first.ran, second.ran], [[], ["r1"]]);
  elsewhere.window.dispatchEvent(new Event("online"));
  browser.window.dispatchEvent(new Event("online"));
  assert.equal(instances().length, 2);
  const published = server.sent("PUT /api/sessions/K7Q2M9XA/tools").length;
  first.host.takeOver();
  await is(second, "superseded");
  await is(first, "online");
  // The other one may have published other tools.
  assert.equal(server.sent("PUT /api/sessions/K7Q2M9XA/tools").length, published + 1);
  await call("r2");
  assert.deepEqual([first.ran, second.ran], [["r2"], ["r1"]]);
});

test("a superseded host finishes what it runs, and only then says goodbye", async () => {
  let finish;
  const first = open(stored(), { run: () => new Promise((resolve) => (finish = resolve)) });
  await is(first, "online");
  server.send("request", { id: "r1", tool: "work" });
  await until(() => finish);
  server.raw(`event: superseded\ndata: {"since":"2026-11-26T12:00:00.000Z"}\n\n`);
  await is(first, "superseded");
  assert.deepEqual(goodbyes(), []);
  finish("after all");
  await until(() => goodbyes().length === 1);
  assert.deepEqual(answers().map(({ id, result }) => [id, result]), [["r1", "after all"]]);
});

test("a superseded host drops the questions that are still open, and answers none of their calls", async () => {
  let question;
  const first = open(stored(), { approve: (asked) => new Promise(() => (question = asked)) });
  await is(first, "online");
  server.send("request", { id: "r1", tool: "work" });
  await until(() => question);
  server.raw(`event: superseded\ndata: {}\n\n`);
  await is(first, "superseded");
  await until(() => goodbyes().length === 1);
  assert.ok(question.signal.aborted);
  assert.deepEqual([first.ran, answers()], [[], []]);
});

test("what another host may have begun runs as a repeat of it", async () => {
  server.ready = { tookOver: true };
  const page = open(stored());
  await is(page, "online");
  server.send("request", { id: "r1", tool: "work", replay: true });
  await until(() => answers().length === 1);
  await call("r2");
  assert.deepEqual(page.ran, ["r1 again", "r2"]);
});

test("a copy that asks for it gets the session once the first page has finished what it runs", async () => {
  let finish;
  const first = open(stored(), { run: () => new Promise((resolve) => (finish = resolve)) });
  await is(first, "online");
  const copy = open(copyOf(first.storage));
  await is(copy, "elsewhere");
  server.send("request", { id: "r1", tool: "work" });
  await until(() => finish);
  copy.host.takeOver();
  await is(first, "superseded");
  assert.equal(copy.host.state.state, "elsewhere");
  finish("done");
  await is(copy, "online");
  await call("r2");
  assert.deepEqual([first.ran, copy.ran], [["r1"], ["r2"]]);
  first.host.takeOver();
  await is(first, "elsewhere");
});

test("the end of the session ends the copy too", async () => {
  const first = open(stored());
  await is(first, "online");
  const copy = open(copyOf(first.storage));
  await is(copy, "elsewhere");
  await first.host.end();
  server.faults.push(["PUT /api/sessions/K7Q2M9XA/tools", 410, {}, "session_ended"]);
  await is(copy, "ended");
  assert.deepEqual(goodbyes(), []);
});

test("a prerendered page is no host before it is shown", async () => {
  browser.uninstall();
  browser = installBrowser({ prerendering: true });
  const page = open(stored());
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(instances().length, 0);
  browser.document.prerendering = false;
  browser.document.dispatchEvent(new Event("prerenderingchange"));
  await is(page, "online");
});

test("a page that may not use locks is a host without them", async () => {
  browser.uninstall();
  const refuses = { request: () => Promise.reject(new DOMException("No origin.", "SecurityError")) };
  browser = installBrowser({ locks: refuses });
  session = new Session(session.toJSON());
  const page = open(stored());
  await is(page, "online");
});

test("a host that closes while it waits never takes over", async () => {
  const first = open(stored());
  await is(first, "online");
  const copy = open(copyOf(first.storage));
  await is(copy, "elsewhere");
  await copy.host.close();
  await first.host.close();
  assert.equal(instances().length, 1);
  assert.equal(goodbyes().length, 1);
});

test("closing resolves when the server knows it, and a goodbye that fails is reported", async () => {
  const page = open(stored());
  await is(page, "online");
  server.faults.push(["POST /api/sessions/K7Q2M9XA/leave", 503]);
  await page.host.close();
  assert.deepEqual(page.errors.map(({ code }) => code), ["fault"]);
});
