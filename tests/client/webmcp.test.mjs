/** A page's WebMCP tools as tools of a host: every shape of registration, early and late, with a list and without one. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { LOOK_AGAIN_MS } from "../../src/site/client/webmcp/contexts.js";
import { PageTools, pageTools } from "../../src/site/client/webmcp/page-tools.js";
import { standIn } from "../../src/site/client/webmcp/stand-in.js";
import { createSession, Host } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

const call = { id: "r1", restarted: false, signal: new AbortController().signal, progress: () => {} };
const tool = (name, execute = () => name, more = {}) => ({ name, description: `Does ${name}`, execute, ...more });
const undo = [];
let page;

beforeEach(() => {
  globalThis.document = new EventTarget();
  globalThis.document.querySelectorAll = () => [];
  // Node has one as well, of another age in each version.
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true, writable: true });
});

afterEach(() => {
  page?.stop();
  page = undefined;
  for (const each of undo.splice(0)) each();
  pageTools().stop();
  delete globalThis.document;
});


/** Puts `context` where pages look for it. */
function install(context, place = document) {
  Object.defineProperty(place, "modelContext", { value: context, configurable: true, writable: true });
  return context;
}

function follow() {
  page = new PageTools();
  return page;
}

const names = () => [...page.tools.keys()].sort();
const run = (name, args = {}, context = call) => page.tools.get(name).run(args, context);
const listed = (wanted) => until(() => names().join() === wanted);

/** Today's interface, as the browser has it: it knows its tools, and tells only text. */
function todays() {
  standIn();
  return document.modelContext;
}

test("tools registered before and after this client looked are found, and follow an abort", async () => {
  const context = todays();
  const [early, late] = [new AbortController(), new AbortController()];
  await context.registerTool(tool("early"), { signal: early.signal });
  follow();
  await context.registerTool(tool("late"), { signal: late.signal });
  await listed("early,late");
  early.abort();
  await listed("late");
  late.abort();
  await listed("");
});

test("what a registered tool returns and throws arrives as it is, with today's and the former second argument", async () => {
  const context = todays();
  follow();
  const image = new Blob(["x"]);
  const seen = [];
  await context.registerTool(tool("picture", () => image));
  await context.registerTool(tool("fails", () => { throw new RangeError("no such row"); }));
  await context.registerTool(tool("asks", async (args, client) => {
    seen.push(args, client.signal === call.signal);
    return client.requestUserInteraction(async () => "yes");
  }));
  await listed("asks,fails,picture");
  assert.equal(await run("picture"), image);
  assert.throws(() => run("fails"), new RangeError("no such row"));
  const told = [];
  assert.equal(await run("asks", { a: 1 }, { ...call, progress: (value) => told.push(value) }), "yes");
  assert.deepEqual(seen, [{ a: 1 }, true]);
  assert.deepEqual(told, ["Waiting for the person at the page."]);
});

test("a tool keeps its this, its title, its schemas and all its annotations, whatever the page does to the object later", async () => {
  const context = todays();
  follow();
  const given = tool("own", function () { return this.word; }, {
    word: "mine",
    title: "Own",
    inputSchema: { type: "object", properties: { a: { type: "string" } } },
    outputSchema: { type: "object" },
    annotations: { readOnlyHint: true, consequentialHint: true, openWorldHint: false },
  });
  await context.registerTool(given);
  given.description = "changed";
  given.inputSchema.type = "array";
  await listed("own");
  assert.deepEqual(page.tools.get("own").definition, {
    name: "own",
    title: "Own",
    description: "Does own",
    inputSchema: { type: "object", properties: { a: { type: "string" } } },
    outputSchema: { type: "object" },
    annotations: { readOnlyHint: true, consequentialHint: true, openWorldHint: false },
  });
  assert.equal(run("own"), "mine");
});

test("a tool that the browser refuses is not offered, its error reaches the page, and the others stay", async () => {
  const context = todays();
  follow();
  await context.registerTool(tool("good"));
  await assert.rejects(context.registerTool(tool("good", () => "second")), { name: "InvalidStateError" });
  await assert.rejects(context.registerTool(tool("a b")), { name: "InvalidStateError" });
  await assert.rejects(context.registerTool({ name: "half", description: "No function" }), TypeError);
  await assert.rejects(context.registerTool(null), TypeError);
  await listed("good");
  assert.equal(run("good"), "good");
});

test("of what was registered before, results come as the list gives them: text, or the object whose JSON it is", async () => {
  const context = todays();
  const results = { text: "plain", object: { a: 1 }, list: [1], number: 7, none: undefined };
  for (const [name, result] of Object.entries(results)) await context.registerTool(tool(name, () => result));
  follow();
  await listed("list,none,number,object,text");
  for (const name of names()) results[name] = await run(name);
  assert.deepEqual(results, { text: "plain", object: { a: 1 }, list: [1], number: "7", none: null });
});

test("a list of an older browser takes and gives JSON text, and no tool runs twice to find that out", async () => {
  const ran = [];
  const context = install({
    registerTool() {},
    getTools: async () => [
      { name: "schema", title: "", description: "d", inputSchema: '{"type":"object"}', window: globalThis.window },
      { name: "bare", description: "d", inputSchema: "", window: globalThis.window },
      { name: "broken", description: "d", inputSchema: "{", window: globalThis.window },
    ],
    executeTool: async ({ name }, text) => {
      if (typeof text !== "string") throw new DOMException("Failed to parse input arguments", "UnknownError");
      ran.push([name, JSON.parse(text)]);
      return "done";
    },
  });
  follow();
  await listed("bare,schema");
  assert.deepEqual(page.tools.get("schema").definition, { name: "schema", description: "d", inputSchema: { type: "object" } });
  await run("schema", { a: 1 });
  await run("bare", { b: 2 });
  assert.deepEqual(ran, [["schema", { a: 1 }], ["bare", { b: 2 }]]);
  context.executeTool = async () => { ran.push("failed"); throw new TypeError("row is not an object"); };
  await assert.rejects(run("bare", {}), TypeError);
});

test("the testing interface of Chromium 146 lists and runs the tools of the former place", async () => {
  const context = install({ registerTool() {}, unregisterTool() {} }, navigator);
  navigator.modelContextTesting = Object.assign(new EventTarget(), {
    listTools: () => [{ name: "old", description: "d", inputSchema: "{}" }],
    executeTool: async (name, text, { signal }) => JSON.stringify({ name, text, signal: signal === call.signal }),
  });
  follow();
  await listed("old");
  assert.deepEqual(await run("old", { a: 1 }), { name: "old", text: '{"a":1}', signal: true });
  assert.ok(context);
});

test("the first shape: a whole list, cleared and replaced, without a way to list it", async () => {
  const got = [];
  const context = install({
    provideContext: (given) => void got.push(given.tools.length),
    clearContext() {},
    registerTool: () => ({ unregister: () => got.push("unregistered") }),
    unregisterTool: (name) => got.push(name),
  }, navigator);
  follow();
  context.provideContext({ tools: [tool("a", ({ n }) => n + 1), tool("b"), { name: "no function" }] });
  assert.deepEqual(names(), ["a", "b"]);
  assert.equal(run("a", { n: 1 }), 2);
  const handle = context.registerTool(tool("c"));
  assert.deepEqual(names(), ["a", "b", "c"]);
  handle.unregister();
  context.unregisterTool("b");
  assert.deepEqual(names(), ["a"]);
  context.provideContext({ tools: [tool("d")] });
  assert.deepEqual(names(), ["d"]);
  context.clearContext();
  assert.deepEqual(names(), []);
  assert.deepEqual(got, [3, "unregistered", "b", 1]);
});

test("the second shape without a list: registered, refused, unregistered by name and by its signal", async () => {
  const context = install({
    registerTool: (given) => { if (given.name === "bad") throw new TypeError("bad"); },
    unregisterTool() {},
  }, navigator);
  follow();
  const controller = new AbortController();
  context.registerTool(tool("a"), { signal: controller.signal });
  context.registerTool(tool("b"));
  assert.throws(() => context.registerTool(tool("bad")), TypeError);
  assert.deepEqual(names(), ["a", "b"]);
  controller.abort();
  context.unregisterTool("b");
  assert.deepEqual(names(), []);
});

test("a polyfill's own list and call of the former place", async () => {
  install({ registerTool() {}, listTools: () => [{ name: "sum", description: "d" }], callTool: async ({ name, arguments: args }) => ({ name, args }) }, navigator);
  follow();
  await listed("sum");
  assert.deepEqual(await run("sum", { a: 1 }), { name: "sum", args: { a: 1 } });
});

test("a context that a script installs or replaces later is found, and its properties are not touched before", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  follow();
  assert.equal("modelContext" in document, false);
  const first = install({ registerTool() {} });
  document.dispatchEvent(new Event("load"));
  first.registerTool(tool("first"));
  assert.deepEqual(names(), ["first"]);
  const second = install({ registerTool() {} });
  t.mock.timers.tick(LOOK_AGAIN_MS);
  second.registerTool(tool("second"));
  assert.deepEqual(names(), ["first", "second"]);
});

test("one context at both places is one, and a getter that would warn is not read", () => {
  const context = install({ registerTool() {} });
  let reads = 0;
  Object.defineProperty(navigator, "modelContext", { configurable: true, get: () => (reads++, context) });
  follow();
  context.registerTool(tool("one"));
  assert.deepEqual([names(), reads], [["one"], 0]);
});

test("stopping restores the functions, and a frozen context is left alone", async () => {
  const registerTool = async () => { throw new TypeError("refused"); };
  const context = install({ registerTool });
  install(Object.freeze({ registerTool() {} }), navigator);
  follow();
  assert.notEqual(context.registerTool, registerTool);
  // The page gets the continued promise: nothing of ours handles its rejection in its place.
  await assert.rejects(context.registerTool(tool("x")), new TypeError("refused"));
  page.stop();
  assert.equal(context.registerTool, registerTool);
});

test("a list that fails is reported, and asked again at the next change", async () => {
  const context = todays();
  const { getTools } = context;
  context.getTools = () => Promise.reject(new Error("not now"));
  const errors = [];
  follow().on("error", ({ error }) => errors.push(error.message));
  await until(() => errors.length > 0);
  context.getTools = getTools;
  await context.registerTool(tool("a"));
  await listed("a");
  assert.deepEqual([...new Set(errors)], ["not now"]);
});

test("a frame's tool is offered unless this document has one of its name, and runs in its frame", async () => {
  globalThis.window = globalThis;
  undo.push(() => delete globalThis.window);
  const frame = {};
  install({
    registerTool() {},
    getTools: async () => [
      { name: "both", description: "frame", window: frame },
      { name: "both", description: "own", window: globalThis },
      { name: "inner", description: "frame", window: frame },
    ],
    executeTool: async ({ window }) => (window === frame ? "in the frame" : "here"),
  });
  follow();
  document.modelContext.registerTool(tool("inner", () => "not this one"));
  await listed("both,inner");
  assert.equal(page.tools.get("both").definition.description, "own");
  assert.equal(await run("inner"), "in the frame");
});

test("a form says when it waits for the person, and that it is sent where it has no other answer", async () => {
  const form = (name, attribute) => ({ getAttribute: () => name, hasAttribute: (asked) => asked === attribute });
  document.querySelectorAll = () => [form("book"), form("find", "toolautosubmit")];
  const results = { book: null, find: "undefined", other: null };
  const getTools = async () => Object.keys(results).map((name) => ({ name }));
  install({ registerTool() {}, getTools, executeTool: async ({ name }) => results[name] });
  follow();
  await listed("book,find,other");
  const told = [];
  const context = { ...call, progress: (value) => told.push(value) };
  assert.equal(await run("find", {}, context), "The form is sent.");
  assert.equal(await run("other", {}, context), null);
  assert.deepEqual(told, []);
  assert.equal(await run("book", {}, context), "The form is sent.");
  assert.deepEqual(told, ["The form is filled in. Waiting for the person to submit it."]);
});

// A host whose page has such tools. The tools of the page are one list for the whole document, so its context stays.

let server;
let host;

async function connected(options = {}) {
  server = await new FakeServer().start();
  const session = await createSession({ baseUrl: server.url });
  host = new Host(session, { storage: new FakeStorage(), ...options });
  host.errors = [];
  host.on("error", ({ error }) => host.errors.push(error));
  undo.push(() => { host.close(); server.stop(); });
}

const put = () => server.sent("PUT /api/sessions/K7Q2M9XA/tools").at(-1)?.tools.map(({ name }) => name).sort().join();
const answer = () => server.sent("POST /api/response").findLast((body) => body.final);

test("a host offers the page's tools as they come and go, and keeps its own", async () => {
  const context = todays();
  // What was there when the page's list was first asked for is found by the next look.
  await context.registerTool(tool("early"));
  await connected();
  host.tool({ name: "mine" }, () => "the host's");
  const bridge = host.webmcp();
  assert.equal(host.webmcp(), bridge);
  await bridge.ready();
  await host.connect();
  assert.equal(put(), "early,mine");
  const controller = new AbortController();
  await context.registerTool(tool("late", ({ n }) => n * 2, { annotations: { readOnlyHint: true } }), { signal: controller.signal });
  await context.registerTool(tool("mine", () => "the page's"));
  await until(() => put() === "early,late,mine");
  server.send("request", { id: "r1", tool: "late", args: { n: 21 } });
  await until(() => answer()?.id === "r1");
  assert.equal(answer().result, 42);
  server.send("request", { id: "r2", tool: "mine" });
  await until(() => answer()?.id === "r2");
  assert.equal(answer().result, "the host's");
  assert.deepEqual(bridge.refused.map(({ name }) => name), ["mine"]);
  assert.deepEqual(host.errors.map(({ code }) => code), ["bad_tool"]);
  controller.abort();
  await until(() => put() === "early,mine");
  bridge.stop();
  await until(() => put() === "mine");
  assert.notEqual(host.webmcp(), bridge);
});

test("a call that ran when the page was left does not run again, unless its tool may", async () => {
  const context = todays();
  let runs = 0;
  await connected();
  await pageTools().settled();
  await context.registerTool(tool("order", () => ++runs));
  await context.registerTool(tool("look", () => ++runs, { annotations: { readOnlyHint: true } }));
  const storage = new FakeStorage();
  const session = await createSession({ baseUrl: server.url });
  const first = new Host(session, { storage });
  first.tool({ name: "order" }, () => new Promise(() => {}));
  first.tool({ name: "look" }, () => new Promise(() => {}));
  first.tool({ name: "gone" }, () => new Promise(() => {}));
  await first.connect();
  for (const name of ["order", "look", "gone"]) server.send("request", { id: name, tool: name });
  await until(() => storage.getItem(`waypost.ledger.${session.memory}`)?.includes("gone"));
  first.close();
  const second = new Host(session, { storage });
  await second.webmcp().ready();
  await second.connect();
  for (const name of ["order", "look", "gone"]) {
    server.send("request", { id: name, tool: name });
    await until(() => answer()?.id === name);
  }
  second.close();
  const answers = server.sent("POST /api/response").map(({ id, error, result }) => [id, error?.message.split(".")[0] ?? result]);
  assert.deepEqual(answers, [
    ["order", "The page was left or reloaded while this call ran"],
    ["look", 1],
    ["gone", "This call ran when the page was left or reloaded, and may have taken effect"],
  ]);
});

test("a tool that clashes is reported once, and offered as soon as what it clashed with is gone", async () => {
  const context = todays();
  await connected();
  const { tool: offer } = Host.prototype;
  const taken = new Set();
  host.tool = function (definition, ...rest) {
    const other = { "a.b": "a_b", a_b: "a.b" }[definition.name];
    if (taken.has(other)) throw new TypeError("Guests see both as a_b.");
    taken.add(definition.name);
    return offer.call(this, definition, ...rest);
  };
  host.removeTool = function (name) {
    taken.delete(name);
    return Host.prototype.removeTool.call(this, name);
  };
  const bridge = host.webmcp();
  const first = new AbortController();
  await context.registerTool(tool("a.b"), { signal: first.signal });
  await bridge.ready();
  await context.registerTool(tool("a_b"));
  await context.registerTool(tool("c"));
  await until(() => bridge.tools.length === 2);
  assert.deepEqual(bridge.refused.map(({ name }) => name), ["a_b"]);
  assert.equal(host.errors.length, 1);
  first.abort();
  await until(() => bridge.tools.map(({ name }) => name).sort().join() === "a_b,c");
  assert.deepEqual([bridge.refused, host.errors.length], [[], 1]);
});

test("a tool that was withdrawn is gone for guests, and its name is free", async () => {
  await connected();
  host.tool({ name: "a" }, () => 1);
  host.tool({ name: "b" }, () => 2);
  await host.connect();
  assert.equal(host.removeTool("a"), true);
  assert.equal(host.removeTool("a"), false);
  await until(() => put() === "b");
  server.send("request", { id: "r1", tool: "a" });
  await until(() => answer()?.id === "r1");
  assert.equal(answer().error.code, "unknown_tool");
});

test("a definition that the host refuses costs that tool alone, until the page changes it", async () => {
  const context = todays();
  await connected();
  const { tool: offer } = Host.prototype;
  host.tool = function (definition, ...rest) {
    if (definition.description === "bad") throw new TypeError("That description is bad.");
    return offer.call(this, definition, ...rest);
  };
  const bridge = host.webmcp();
  const controller = new AbortController();
  await context.registerTool({ ...tool("x"), description: "bad" }, { signal: controller.signal });
  await context.registerTool(tool("y"));
  await bridge.ready();
  assert.deepEqual(bridge.tools.map(({ name }) => name), ["y"]);
  assert.deepEqual(bridge.refused, [{ name: "x", reason: "That description is bad." }]);
  assert.equal(host.errors.length, 1);
  controller.abort();
  await context.registerTool(tool("x"));
  await until(() => bridge.tools.length === 2);
  assert.deepEqual(bridge.refused, []);
});
