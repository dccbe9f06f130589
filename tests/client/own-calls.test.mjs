/** The approval of a call that the person made in the page itself is valid for that call alone, once. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { endOwnCall, ownCall, useOwnCall } from "../../src/site/console/approval/own-calls.js";

const CALL = { code: "K7Q2M9XA", tool: "add_note", args: { text: "Mine", tags: [] } };

test("the very call is approved, once", () => {
  const id = ownCall(CALL);
  assert.equal(useOwnCall(id, structuredClone(CALL)), true);
  assert.equal(useOwnCall(id, CALL), false);
});

for (const [what, other] of [
  ["in another session", { code: "OTHERXXX" }],
  ["of another tool", { tool: "set_accent" }],
  ["with other arguments", { args: { text: "Mine", tags: ["more"] } }],
]) {
  test(`a call ${what} is not, nor is the real one after it`, () => {
    const id = ownCall(CALL);
    assert.equal(useOwnCall(id, { ...CALL, ...other }), false);
    assert.equal(useOwnCall(id, CALL), false);
  });
}

test("a call under another id is not, nor is one that comes after the call has ended", () => {
  const id = ownCall(CALL);
  assert.equal(useOwnCall("another", CALL), false);
  endOwnCall(id);
  assert.equal(useOwnCall(id, CALL), false);
});
