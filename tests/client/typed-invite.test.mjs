/** What people type and paste where a session code is asked for. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { readTyped } from "../../src/site/console/agent/typed-invite.js";

const ORIGIN = "http://localhost:8787";
const KEY = "a".repeat(43);

for (const text of [
  "T93SC5RC",
  "t93s-c5rc",
  "T93S C5RC",
  "T93S–C5RC",
  "  T93S\u00a0C5RC\n",
  "“T93S-C5RC”.",
  "T93S/C5RC",
  `${ORIGIN}/#join=T93SC5RC`,
  `${ORIGIN}/#join=T93S-C5RC`,
  `${ORIGIN}/mcp/T93SC5RC`,
  `${ORIGIN}/mcp/T93SC5RC/`,
  "#join=T93SC5RC",
]) {
  test(`${JSON.stringify(text)} is the code`, () => assert.deepEqual(readTyped(text, ORIGIN), { code: "T93SC5RC" }));
}

test("letters that look like digits are digits", () => assert.deepEqual(readTyped("oil0-OIL0", ORIGIN), { code: "01100110" }));

test("a link carries the key of an encrypted session", () => {
  assert.deepEqual(readTyped(`${ORIGIN}/#join=T93SC5RC&key=${KEY}`, ORIGIN), { code: "T93SC5RC", key: KEY });
});

for (const [text, reason] of [
  ["your code", "no session code"],
  ["T93S", "no session code"],
  ["T93SC5RCT93SC5RCT", "no session code"],
  ["#join=x", "no session code"],
  ["http://example.com/abc", "no session code"],
  [`${ORIGIN}/`, "no session code"],
  ["http://", "not complete"],
  ["https://other.example/mcp/T93SC5RC", "belongs to other.example"],
  [`${ORIGIN}/mcp/6zpn9s907efgbnpn0apw3nahwtzx1wj5`, "address of an MCP client"],
]) {
  test(`${text} is refused with the reason: ${reason}`, () => {
    const { fault, link } = readTyped(text, ORIGIN);
    assert.match(fault, new RegExp(reason));
    assert.equal(link, undefined);
  });
}

for (const text of ["javascript://other.example/%0aalert(1)#join=T93SC5RC", "data://x/#join=T93SC5RC", "ftp://other.example/#join=T93SC5RC"]) {
  test(`what is no web address leads nowhere: ${text}`, () => {
    assert.deepEqual(readTyped(text, ORIGIN), { fault: "This is no link of a tab." });
  });
}

test("a link of another server is said to be one, and leads there", () => {
  const link = `https://other.example/#join=T93SC5RC&key=${KEY}`;
  const typed = readTyped(link, ORIGIN);
  assert.equal(typed.link, link);
  assert.match(typed.fault, /belongs to other\.example, and this page is localhost:8787/);
  // The message is shown and may be read aloud: it repeats no key.
  assert.equal(typed.fault.includes(KEY), false);
});
