/** One bad tool harms no other: it is refused by name, and neither the session nor the good tools notice. */

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { createSession, Host, Session } from "../../src/site/waypost.js";
import { FakeServer, FakeStorage, until } from "./fake-server.mjs";

// Full jitter multiplies by this: without chance, every delay is its floor.
Math.random = () => 0;

const PUT = "PUT /api/sessions/K7Q2M9XA/tools";

let server;
let session;
let hosts;

beforeEach(async () => {
  server = await new FakeServer().start();
  session = await createSession({ baseUrl: server.url });
  hosts = [];
});

afterEach(() => {
  for (const host of hosts) host.close();
  server.stop();
});

/** A host with the tool `good`, and its log; not connected. */
function opened(of = session) {
  const host = new Host(of, { storage: new FakeStorage() });
  hosts.push(host);
  host.log = [];
  host.errors = [];
  host.on("state", ({ state }) => host.log.push(state));
  host.on("error", ({ error }) => host.errors.push(error));
  return host.tool({ name: "good" }, () => "still here");
}

const names = () => server.sent(PUT).map(({ tools }) => tools.map(({ name }) => name));
const refusal = (...tools) => [PUT, 400, {}, "invalid_tool", {
  tools: tools.map((tool, index) => ({ tool, index, pointer: "/title", detail: `The tool "${tool}": /title is not wanted.` })),
}];

/** That a call of the good tool is answered. */
async function assertWorks() {
  const before = server.sent("POST /api/response").length;
  server.send("request", { id: `r${before}`, tool: "good" });
  const answer = await until(() => server.sent("POST /api/response")[before]);
  assert.equal(answer.result, "still here");
}

test("tool() throws for a bad definition, and the tools before and after it are offered", async () => {
  const host = opened();
  assert.throws(() => host.tool({ name: "notes:list" }, () => 1), { code: "invalid_tool", message: /^The tool "notes:list": \/name must be/ });
  assert.throws(() => host.tool({ name: "t", outputSchema: [] }, () => 1), { code: "invalid_tool" });
  host.tool({ name: "late" }, () => 1);
  await host.connect();
  assert.deepEqual(names(), [["good", "late"]]);
  await assertWorks();
});

test("a bad definition for a tool that is offered already leaves the old one in place", async () => {
  const host = opened();
  await host.connect();
  assert.throws(() => host.tool({ name: "good", title: 5 }, () => "other"), /\/title must be a string/);
  await assertWorks();
  assert.deepEqual(names(), [["good"]]);
});

test("tools that the server refuses by name are left out and reported, at connect and after a cut", async () => {
  const host = opened().tool({ name: "odd" }, () => 1).tool({ name: "queer" }, () => 1);
  server.faults.push(refusal("odd", "queer"));
  await host.connect();
  assert.deepEqual(names(), [["good", "odd", "queer"], ["good"]]);
  assert.deepEqual(host.errors.map(({ code, message }) => [code, message]), [
    ["invalid_tool", 'The tool "odd": /title is not wanted.'],
    ["invalid_tool", 'The tool "queer": /title is not wanted.'],
  ]);
  server.cut();
  await until(() => host.log.filter((state) => state === "online").length === 2);
  assert.equal(names().length, 2);
  await assertWorks();
});

test("a tool that is replaced after its refusal is offered again", async () => {
  const host = opened().tool({ name: "odd" }, () => 1);
  server.faults.push(refusal("odd"));
  await host.connect();
  host.tool({ name: "odd", description: "Better" }, () => 1);
  await until(() => names().length === 3);
  assert.deepEqual(names().at(-1), ["good", "odd"]);
});

for (const [what, refused] of [
  ["names no tool", [PUT, 400, {}, "invalid_body"]],
  ["names tools that it was not offered", refusal("another")],
  ["names them in no list", [PUT, 400, {}, "invalid_tool", { tools: "odd" }]],
  ["names nothing in its list", [PUT, 400, {}, "invalid_tool", { tools: [null, 5] }]],
  ["says that it is too large", [PUT, 413, {}, "body_too_large"]],
]) {
  test(`a refusal that ${what} is reported once, and the tab stays`, async () => {
    const host = opened();
    await host.connect();
    server.faults.push(refused);
    host.tool({ name: "odd" }, () => 1);
    await until(() => host.errors.length === 1);
    assert.equal(host.errors[0].code, refused[3]);
    server.cut();
    await until(() => host.log.filter((state) => state === "online").length === 2);
    await assertWorks();
    assert.equal(session.isOver, false);
    assert.deepEqual(names(), [["good"], ["good", "odd"]]);
  });
}

test("a list that did not arrive is sent again at the next connection", async () => {
  const host = opened();
  server.faults.push([PUT, 503]);
  await host.connect();
  assert.deepEqual(names(), [["good"], ["good"]]);
});

test("a session that is over ends the tab at its next list", async () => {
  const host = opened();
  server.faults.push([PUT, 410, {}, "session_ended"]);
  await assert.rejects(host.connect(), { code: "session_ended" });
  assert.equal(host.state.state, "ended");
});

test("lists are sent one after the other, and the last one has every tool", async () => {
  const host = opened();
  await host.connect();
  for (let n = 0; n < 5; n++) {
    host.tool({ name: `t${n}` }, () => n);
    await Promise.resolve();
  }
  await until(() => names().at(-1).length === 6);
  const lengths = names().map((list) => list.length);
  assert.deepEqual(lengths, [...lengths].sort((a, b) => a - b));
});

test("two tools that MCP clients would see under one name are refused with both names", async () => {
  const host = opened().tool({ name: "cart.add" }, () => 1);
  assert.throws(() => host.tool({ name: "cart/add" }, () => 2), {
    code: "invalid_tool",
    message: /The tool "cart\/add": MCP clients see it as cart_add, and the tool "cart\.add" too/,
  });
  host.tool({ name: "cart.add" }, () => 3);
  assert.equal(session.mapToolNames, true);
});

test("a session that maps no names offers both", async () => {
  const plain = await createSession({ baseUrl: server.url, mapToolNames: false });
  assert.equal(server.sent("POST /api/sessions").at(-1).mapToolNames, false);
  assert.equal(plain.mapToolNames, false);
  assert.equal(new Session(JSON.parse(JSON.stringify(plain))).mapToolNames, false);
  opened(plain).tool({ name: "cart.add" }, () => 1).tool({ name: "cart/add" }, () => 2);
});

test("a session has room for 128 tools and 248 KiB of definitions", async () => {
  const host = opened();
  for (let n = 1; n < 128; n++) host.tool({ name: `t${n}` }, () => n);
  assert.throws(() => host.tool({ name: "more" }, () => 1), { code: "too_many_tools", message: /The tool "more" has no room/ });
  host.tool({ name: "t1", description: "Replaced" }, () => 1);
  assert.throws(() => host.tool({ name: "t2", description: "é".repeat(124 * 1024) }, () => 1), {
    code: "tools_too_large",
    message: /The tool "t2" has no room: .* 253952 bytes/,
  });
  await host.connect();
  assert.equal(names()[0].length, 128);
});

test("a description with half an emoji is offered with U+FFFD", async () => {
  const host = opened();
  host.tool({ name: "sale", description: "Sale now on 🎉🎉🎉".slice(0, 15) }, () => 1);
  await host.connect();
  assert.equal(server.sent(PUT)[0].tools[1].description, "Sale now on 🎉\uFFFD");
});
