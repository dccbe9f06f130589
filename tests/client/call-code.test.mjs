/** The code of a call does what the call did, whatever its arguments hold. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

import { callCode } from "../../src/site/console/agent/call-code.js";

const ARGS = { text: `It's "quoted" \\ $HOME \`x\`\n\u2028 ünïcode 😀`, list: [1, null, true], __proto: {} };
const CALL = { origin: "http://localhost:8787", code: "K7Q2M9XA", tool: `add_"note'`, args: ARGS, isEncrypted: false };
const SENT = { code: CALL.code, tool: CALL.tool, args: ARGS };

test("the shell hands curl the very request", () => {
  const command = callCode(CALL).curl;
  const done = spawnSync("sh", ["-c", `curl() { for word; do printf '%s\\0' "$word"; done; }\n${command}`], { encoding: "utf8" });
  const words = done.stdout.split("\0").slice(0, -1);
  assert.deepEqual(words.slice(0, 5), ["-s", "http://localhost:8787/api/request?wait=30", "-H", "Content-Type: application/json", "-d"]);
  assert.deepEqual(JSON.parse(words[5]), SENT);
});

test("Python sends the very request", () => {
  const code = callCode(CALL).Python;
  const fake = `
import io, sys, urllib.request
def urlopen(request):
    sys.stderr.write(request.data.decode("ascii"))
    return io.BytesIO(b'{"result": 1}')
urllib.request.urlopen = urlopen
`;
  const done = spawnSync("python3", ["-X", "utf8", "-c", `${fake}\n${code}`], { encoding: "utf8" });
  assert.equal(done.stdout, "{'result': 1}\n", done.stderr);
  assert.deepEqual(JSON.parse(done.stderr), SENT);
});

test("JavaScript makes the very call", async () => {
  const [first, ...rest] = callCode(CALL).JavaScript.split("\n");
  assert.equal(first, `import { joinSession } from "http://localhost:8787/waypost.js";`);
  const calls = [];
  const joinSession = async (code) => ({ call: async (tool, args) => void calls.push({ code, tool, args }) });
  const run = new (Object.getPrototypeOf(async () => {}).constructor)("joinSession", "console", rest.join("\n"));
  await run(joinSession, { log() {} });
  assert.deepEqual(calls, [SENT]);
});

test("an encrypted call has code that shows neither its key nor a way without one", () => {
  const codes = callCode({ ...CALL, isEncrypted: true });
  assert.deepEqual(Object.keys(codes), ["JavaScript"]);
  assert.match(codes.JavaScript, /joinSession\("THE_LINK_OF_THE_TAB"\)/);
});
