/** Which server the client talks to, and what it says where that is not known, or is no Waypost server. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { Chat, createSession, Guest, joinSession, listThreads, Pages, readThread, voice } from "../../src/site/waypost.js";
import { ownOrigin } from "../../src/site/client/server.js";

let site;
let url;
let reply;

before(async () => {
  site = createServer((_, response) => reply(response));
  await new Promise((resolve) => site.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${site.address().port}`;
});

after(() => site.close());

/** What a site of single pages says to every path. */
const page = (status) => (response) => {
  response.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  response.end("<!doctype html><title>App</title>");
};

test("a module from a disk came from no server: each function says what to write", async () => {
  const named = { code: "no_base_url", message: 'Which Waypost server? Say it: { baseUrl: "https://your-worker.example" }.' };
  assert.throws(ownOrigin, named);
  for (const ask of [createSession, () => joinSession("K7Q2M9XA"), () => listThreads("ada"), () => readThread("ada", "t"), () => voice("Hi")]) {
    await assert.rejects(ask, named);
  }
  for (const Kind of [Guest, Chat, Pages]) assert.throws(() => new Kind(Kind === Chat ? { threadId: "t" } : "K7Q2M9XA"), named);
});

test("a link names its server", async () => {
  reply = page(404);
  await assert.rejects(joinSession(`${url}/#join=K7Q2M9XA`), { code: "http_404" });
});

test("what is no address is refused before anything is sent", async () => {
  const refused = { code: "invalid_base_url", message: "baseUrl is no URL: write https://your-worker.example, not app.example." };
  await assert.rejects(createSession({ baseUrl: "app.example" }), refused);
  assert.throws(() => new Guest("K7Q2M9XA", { baseUrl: "app.example" }), refused);
});

test("a page in place of a reply is named, and may be gone at the next attempt", async () => {
  reply = page(200);
  const message = `A page came from there: ${url} is no Waypost server. Is its baseUrl right?`;
  await assert.rejects(createSession({ baseUrl: url }), { code: "transport", message });
});

for (const status of [404, 405]) {
  test(`a ${status} without a problem document is no Waypost server's`, async () => {
    reply = page(status);
    const message = `The server replied ${status}: ${url} is no Waypost server. Is its baseUrl right?`;
    await assert.rejects(createSession({ baseUrl: url }), { status, message });
  });
}

test("other failures, and replies that break off, say nothing of the address", async () => {
  reply = page(502);
  await assert.rejects(createSession({ baseUrl: url }), { message: "The server replied 502." });
  reply = (response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end('{"code": "K7');
  };
  await assert.rejects(createSession({ baseUrl: url }), { message: "The server's reply broke off." });
});
