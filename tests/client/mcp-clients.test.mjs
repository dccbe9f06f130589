/** The setup instructions for MCP clients: their own syntax, with the URL and the token in the right places. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { clientSetups } from "../../src/site/console/mcp/clients.js";

const URL_WITH_CODE = "https://waypost.example/mcp/K7Q2M9XA";
const URL_FOR_TOKENS = "https://waypost.example/mcp";
const TOKEN = "wp1.guest.K7Q2M9XA.1.x-y_z";

const open = Object.fromEntries(clientSetups(URL_WITH_CODE, null).map((setup) => [setup.id, setup]));
const closed = Object.fromEntries(clientSetups(URL_FOR_TOKENS, TOKEN).map((setup) => [setup.id, setup]));
const parsed = (setup, at = 0) => JSON.parse(setup.steps[at].text);

/** The words of a command, as a shell has them. */
const words = (text) => text.replaceAll("\\\n", "").match(/'[^']*'|"[^"]*"|[^\s"']+/g).map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));

test("every client gets the URL, and with a token the header that carries it or why it can't be used", () => {
  for (const setup of Object.values(open)) assert.ok(setup.steps.every(({ text }) => text.includes(URL_WITH_CODE)), setup.id);
  for (const { id, steps } of Object.values(closed)) {
    if (id === "claude") assert.deepEqual(steps.map(({ text }) => text), [""]);
    else assert.ok(steps.every(({ text }) => text.includes(URL_FOR_TOKENS) && text.includes(TOKEN)), id);
  }
});

test("commands are one command in a shell", () => {
  const bearer = ["--header", `Authorization: Bearer ${TOKEN}`];
  const claude = ["claude", "mcp", "add", "--transport", "http", "waypost"];
  assert.deepEqual(words(open["claude-code"].steps[0].text), [...claude, URL_WITH_CODE]);
  assert.deepEqual(words(closed["claude-code"].steps[0].text), [...claude, URL_FOR_TOKENS, ...bearer]);
  assert.deepEqual(words(closed.gemini.steps[0].text).slice(-3), [URL_FOR_TOKENS, ...bearer]);
  assert.deepEqual(words(closed.inspector.steps[0].text).slice(1, 5), ["@modelcontextprotocol/inspector", "--cli", URL_FOR_TOKENS, "--transport"]);
  assert.deepEqual(words(open.codex.steps[0].text), ["codex", "mcp", "add", "waypost", "--url", URL_WITH_CODE]);
  assert.match(closed.codex.steps[0].text, /^export WAYPOST_TOKEN='wp1\.[^']*'\ncodex .*--bearer-token-env-var WAYPOST_TOKEN$/s);
});

test("files are JSON in each client's form", () => {
  const headers = { Authorization: `Bearer ${TOKEN}` };
  assert.deepEqual(parsed(open.vscode, 1), { servers: { waypost: { type: "http", url: URL_WITH_CODE } } });
  assert.deepEqual(JSON.parse(words(closed.vscode.steps[0].text)[2]), { name: "waypost", type: "http", url: URL_FOR_TOKENS, headers });
  assert.deepEqual(parsed(closed.cursor), { mcpServers: { waypost: { url: URL_FOR_TOKENS, headers } } });
  assert.deepEqual(parsed(closed.other), { mcpServers: { waypost: { type: "http", url: URL_FOR_TOKENS, headers } } });
});

test("links that open a client carry what its file would hold", () => {
  const cursor = new URL(closed.cursor.link);
  assert.equal(`${cursor.protocol}//${cursor.host}${cursor.pathname}`, "cursor://anysphere.cursor-deeplink/mcp/install");
  assert.deepEqual(JSON.parse(atob(cursor.searchParams.get("config"))), parsed(closed.cursor).mcpServers.waypost);
  const [scheme, query] = closed.vscode.link.split("?");
  assert.equal(scheme, "vscode:mcp/install");
  assert.deepEqual(JSON.parse(decodeURIComponent(query)), { name: "waypost", ...parsed(closed.vscode, 1).servers.waypost });
});

test("a connector that calls from elsewhere is said to need the internet, where this server is none of it", () => {
  const [local] = clientSetups("http://localhost:8787/mcp/K7Q2M9XA", null).find(({ id }) => id === "claude").steps;
  assert.match(local.how, /internet/);
  // Its own URL would lead nowhere there.
  assert.equal(local.text, "cloudflared tunnel --url http://localhost:8787");
  assert.doesNotMatch(open.claude.steps[0].how, /internet/);
});
