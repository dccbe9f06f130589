// The commands of the API's page, as texts. tests/worker/test_docs_snippets.py runs all of them.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { commandOf, inOrder, missing } from "../../src/site/docs/commands/command.js";
import { snippets } from "../../src/site/docs/commands/languages.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../src/site/${path}`, import.meta.url), "utf8"));
const API = read("openapi.json");
const SHOWN = inOrder(API, read("docs/commands.json"));
const HERE = "http://here.example";

const find = (id) => SHOWN.find(({ operation }) => operation.operationId === id);
const text = (language, id, values = {}, at = 0) => {
  const { operation, calls } = find(id);
  return snippets(language, operation, calls, HERE, values)[at].text;
};

test("every route but those for tests of the service has a command", () => {
  const ids = Object.entries(API.paths)
    .filter(([path]) => !path.startsWith("/debug/"))
    .flatMap(([, methods]) => Object.values(methods).map(({ operationId }) => operationId));
  assert.deepEqual(SHOWN.map(({ operation }) => operation.operationId).sort(), ids.sort());
});

test("what a command needs is returned by one above it", () => {
  const known = new Set(["APP_KEY"]);
  for (const { operation, calls } of SHOWN) {
    for (const call of calls) {
      if (call.makes) known.add(call.makes);
      assert.deepEqual(missing(commandOf(operation, call, HERE, {})).filter((name) => !known.has(name)), [], operation.operationId);
      for (const name of Object.keys(call.keep ?? {})) known.add(name);
    }
  }
});

test("a method that curl would not choose is named", () => {
  assert.match(text("curl", "joinSession"), /-X POST/);
  assert.match(text("curl", "putTools"), /-X PUT/);
  assert.doesNotMatch(text("curl", "sendRequest"), /-X/);
  assert.doesNotMatch(text("curl", "readSession"), /-X/);
});

test("the first command sets the variables that the others use", () => {
  assert.match(text("curl", "openSession"), /^CODE=\$\(expr "\$REPLY" : '\.\*"code":"\\\(\[\^"\]\*\\\)"'\)$/m);
  assert.match(text("curl", "sendRequest"), /-d '{"code":"'\$CODE'","tool"/);
  assert.match(text("fetch", "openSession"), /^var CODE = body\.code;$/m);
  assert.match(text("fetch", "readSession"), /fetch\(`http:\/\/here\.example\/api\/sessions\/\${CODE}`\)/);
  assert.match(text("python", "openSession"), /^CODE = reply\.json\(\)\["code"\]$/m);
  assert.match(text("python", "readSession"), /httpx\.get\(f"http:\/\/here\.example\/api\/sessions\/{CODE}"\)/);
});

test("values that are known take the places of their names, and are quoted where they stand", () => {
  const values = { CODE: "K7Q2M9XA", NOTES_ETAG: '"0a"' };
  assert.match(text("curl", "sendRequest", values), /-d '{"code":"K7Q2M9XA",/);
  assert.match(text("client", "joinSession", values), /joinSession\("K7Q2M9XA"\)/);
  assert.match(text("curl", "putDocument", values, 1), /-H 'If-Match: "0a"'/);
  assert.match(text("python", "putDocument", values, 1), /"If-Match": "\\"0a\\""/);
});

test("where apps have keys, the reader's is sent to the routes of apps and to no other", () => {
  const { operation, calls } = find("ask");
  assert.equal(commandOf(operation, calls[0], HERE, { APP_KEY: "key" }).headers.Authorization, "Bearer key");
  assert.equal(commandOf(operation, calls[0], HERE, {}).headers.Authorization, undefined);
  const session = find("readSession");
  assert.equal(commandOf(session.operation, session.calls[0], HERE, { APP_KEY: "key" }).headers.Authorization, undefined);
  assert.match(text("curl", "makeToken"), /^APP_KEY=an-app-key # one of/);
});

test("a call that waypost.js does not make is shown with fetch", () => {
  assert.match(text("client", "ask"), /await import\("http:\/\/here\.example\/waypost\.js"\)/);
  assert.match(text("client", "acknowledge"), /await fetch\(/);
});

test("a name in a path is percent-encoded, a value's name is not", () => {
  const operation = { operationId: "x", method: "GET", path: "/a/{id}", tags: [], security: [], responses: {} };
  const call = { operation: "x", title: "", status: 200, path: { id: "a b/$CODE" }, query: { "m.x": "1&2" } };
  assert.equal(commandOf(operation, call, HERE, {}).url, `${HERE}/a/a%20b%2F$CODE?m.x=1%262`);
});
