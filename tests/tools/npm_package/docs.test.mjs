/** The examples of the package's manual, and of its own page, as they are printed. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { transformSync } from "esbuild";
import { createElement } from "react";
import { renderToString } from "react-dom/server";

import { FakeServer } from "./fake-server.mjs";

const PRINTED = new Map(
  [...readFileSync(process.env.MANUAL, "utf8").matchAll(/<!-- runs: (\w+) -->\n```jsx?\n([^]*?)```/g)].map(([, name, code]) => [name, code]),
);

const HERE = new URL("./", import.meta.url);
PRINTED.set("page", /```js\n([^]*?)```/.exec(readFileSync(new URL("node_modules/waypost/README.md", HERE), "utf8"))[1]);

let server;

beforeEach(async () => {
  server = await new FakeServer().start();
});

afterEach(() => server.stop());

/** Writes an example as a module, with this test's server in place of the reader's. @returns its URL */
function written(name) {
  const code = PRINTED.get(name).replaceAll("https://your-worker.example", server.url);
  const url = new URL(`${name}.mjs`, HERE);
  writeFileSync(url, transformSync(code, { loader: "jsx", jsx: "automatic", format: "esm" }).code);
  return url;
}

/** Starts an example as a program, and gives the first thing that it prints. */
async function started(name) {
  const program = spawn(process.execPath, [fileURLToPath(written(name))], { cwd: HERE, stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await once(program.stdout, "data");
  return { program, line: `${line}`.trim() };
}

test("the examples are there", () => assert.deepEqual([...PRINTED.keys()].sort(), ["agent", "chat", "page", "program", "react"]));

test("the agent calls the program's tool", async () => {
  // What an earlier run has left belongs to another server.
  rmSync(new URL("waypost-state", HERE), { recursive: true, force: true });
  server.relay = (_, body) => body;
  const host = await started("program");
  assert.equal(host.line, "K7Q2M9XA");
  const agent = await started("agent");
  assert.equal(agent.line, "Hello Ada");
  host.program.kill();
});

test("the package's own page begins with a host that answers", async () => {
  server.relay = (_, body) => body;
  const host = await started("page");
  assert.equal(host.line, "K7Q2M9XA");
  assert.equal((await started("agent")).line, "Hello Ada");
  host.program.kill();
});

test("the component is rendered on a server", async () => {
  const { Cart } = await import(written("react"));
  assert.equal(renderToString(createElement(Cart)).replaceAll("<!-- -->", ""), "<p>opening. In the cart: </p>");
});

test("the chat loads its history, and sends with the token of the app's server", async () => {
  // The hook, as far as the example uses it.
  const folder = new URL("./node_modules/@ai-sdk/react/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("package.json", folder), '{"type": "module", "exports": "./index.js"}');
  writeFileSync(new URL("index.js", folder), "export const useChat = (options) => ({ messages: [], sendMessage: (said) => globalThis.said(options, said) });");
  const requests = [];
  const usual = globalThis.fetch;
  globalThis.fetch = async (url, init = {}) => {
    requests.push([`${url}`.replace(server.url, ""), new Headers(init.headers).get("authorization")]);
    if (url === "/waypost-token") return Response.json({ token: "t", expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    return Response.json({ messages: [{ id: "q" }], running: null, truncated: false });
  };
  try {
    const { ChatPage, load } = await import(written("chat"));
    const kept = await load("trip");
    assert.deepEqual(kept.messages, [{ id: "q" }]);
    let options;
    globalThis.said = (given, said) => (options = { ...given, said });
    ChatPage({ threadId: "trip", kept }).props.onClick();
    assert.deepEqual([options.id, options.messages, options.resume, options.said], ["trip", [{ id: "q" }], true, { text: "Hello" }]);
    await options.transport.sendMessages({ chatId: "trip", messages: [{ id: "q", role: "user", parts: [] }], trigger: "submit-message" });
  } finally {
    globalThis.fetch = usual;
  }
  assert.deepEqual(requests, [["/waypost-token", null], ["/api/chat/trip?format=ui&resourceId=user-1", "Bearer t"], ["/api/chat", "Bearer t"]]);
});
