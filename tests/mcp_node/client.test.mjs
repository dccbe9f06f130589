// The TypeScript SDK's client and the Inspector, of both generations, at a tab that tests/support/mcp_tab.py holds open.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const url = process.env.WAYPOST_MCP;
const run = promisify(execFile);

async function connected(options) {
  const client = new Client({ name: "test", version: "1" }, options);
  await client.connect(new StreamableHTTPClientTransport(new URL(url)));
  return client;
}

for (const [version, options] of [
  ["2025-11-25", {}],
  ["2026-07-28", { versionNegotiation: { mode: "auto" } }],
]) {
  test(`the client of ${version}`, async () => {
    const client = await connected(options);
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    const { tools } = await client.listTools();
    assert.equal(tools[0].name, "echo");

    const echoed = await client.callTool({ name: "echo", arguments: { n: 1.5 } });
    assert.deepEqual(echoed.structuredContent, { n: 1.5 });
    const failed = await client.callTool({ name: "test_error_handling", arguments: {} });
    assert.equal(failed.isError, true);
    const slow = await client.callTool({ name: "slow", arguments: { seconds: 2 } });
    assert.equal(slow.content[0].text, "done");
    await assert.rejects(client.callTool({ name: "nothing", arguments: {} }), /no tool "nothing"/);

    const heard = [];
    await client.callTool({ name: "report", arguments: {} }, { onprogress: ({ progress }) => heard.push(progress) });
    assert.deepEqual(heard, [0, 50, 100]);
    await client.close();
  });
}

test("the Inspector", async () => {
  const inspect = async (...options) => {
    const program = "node_modules/.bin/mcp-inspector";
    const { stdout } = await run(process.execPath, [program, "--cli", url, "--transport", "http", ...options]);
    return JSON.parse(stdout);
  };
  const { tools } = await inspect("--method", "tools/list");
  assert.equal(tools[0].name, "echo");
  const called = await inspect("--method", "tools/call", "--tool-name", "echo", "--tool-arg", "n=3");
  assert.deepEqual(called.structuredContent, { n: 3 });
});
