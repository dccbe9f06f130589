/** The agent's calls without an answer are kept for a reload, by session. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { forgetCall, keepCall, keptCalls } from "../../src/site/console/agent/running-calls.js";

const CALL = { code: "K7Q2M9XA", id: "c1", tool: "ask_person", args: { question: "Now?" } };

let stored;
beforeEach(() => {
  stored = new Map();
  const area = { getItem: (key) => stored.get(key) ?? null, setItem: (key, text) => void stored.set(key, text) };
  Object.defineProperty(globalThis, "sessionStorage", { value: area, configurable: true });
});

test("a call is kept until it is forgotten, for its own session", () => {
  keepCall(CALL);
  keepCall({ ...CALL, id: "c2", code: "OTHERXXX" });
  assert.deepEqual(keptCalls("K7Q2M9XA"), [CALL]);
  forgetCall("c1");
  assert.deepEqual(keptCalls("K7Q2M9XA"), []);
  assert.equal(keptCalls("OTHERXXX").length, 1);
});

test("a call that goes on is kept once, and of many the newest are", () => {
  keepCall(CALL);
  keepCall(CALL);
  assert.equal(keptCalls("K7Q2M9XA").length, 1);
  for (let number = 0; number < 30; number++) keepCall({ ...CALL, id: `n${number}` });
  assert.deepEqual([keptCalls("K7Q2M9XA").length, keptCalls("K7Q2M9XA").at(-1).id], [20, "n29"]);
});

for (const text of ["{", "null", "[null, 1, {}]"]) {
  test(`what is damaged is nothing: ${text}`, () => {
    stored.set("waypost.calls", text);
    assert.deepEqual(keptCalls("K7Q2M9XA"), []);
    keepCall(CALL);
    assert.deepEqual(keptCalls("K7Q2M9XA"), [CALL]);
  });
}
