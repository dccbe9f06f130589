/** Half a surrogate pair becomes U+FFFD; everything else is unchanged. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { wellFormed, wellFormedJson } from "../../src/site/client/well-formed.js";

test("each half of a surrogate pair becomes one U+FFFD", () => {
  const party = "🎉";
  assert.equal(wellFormed(`a${party[0]}b`), "a\uFFFDb");
  assert.equal(wellFormed(`${party[1]}${party[0]}`), "\uFFFD\uFFFD");
  assert.equal(wellFormed(`${party}${party[0]}`), `${party}\uFFFD`);
});

test("a text that is well-formed is unchanged", () => {
  for (const text of ["", "plain", "🎉🎉", "\0\u2028\uFFFD", "é".normalize("NFD")]) assert.equal(wellFormed(text), text);
});

test("in JSON, texts and names at every depth are made well-formed", () => {
  const half = "\ud83c";
  const value = { [half]: [half, { deep: [`x${half}`] }], number: 1, none: null, yes: true };
  assert.deepEqual(wellFormedJson(value), { "\uFFFD": ["\uFFFD", { deep: ["x\uFFFD"] }], number: 1, none: null, yes: true });
  assert.equal(JSON.stringify(wellFormedJson(["__proto__", JSON.parse('{"__proto__": 1}')])), '["__proto__",{"__proto__":1}]');
});
