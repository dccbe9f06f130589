/** The log of a tab: one entry for each call, from its request to its end, which a reload keeps. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { CallLog, contains, isFault } from "../../src/site/console/tab/call-log.js";

const REQUEST = { id: "r1", tool: "add_note", args: { text: "Milk" }, replay: false, repeat: false };

function logOf(...requests) {
  let now = 1000;
  const log = new CallLog(() => now++);
  for (const request of requests) log.request({ ...REQUEST, ...request });
  return log;
}

/** The entries' states by id. */
function states(log) {
  return Object.fromEntries(log.entries.map(({ id, state }) => [id, state]));
}

test("a call's request, progress and answer are one entry, with its state and how long it took", () => {
  const log = logOf({});
  assert.equal(log.open, 1);
  log.response({ id: "r1", tool: "add_note", result: { progress: 1 }, final: false });
  assert.equal(log.open, 1);
  log.response({ id: "r1", tool: "add_note", result: { notes: 1 }, final: true, durationMs: 12 });
  const [entry, ...others] = log.entries;
  assert.deepEqual([others.length, entry.name, entry.state, entry.durationMs, log.open], [0, "add_note", "answered", 12, 0]);
  assert.deepEqual(
    entry.parts.map(({ direction, flags }) => [direction, ...flags]),
    [["in"], ["out", "progress"], ["out"]],
  );
});

for (const [error, state, isWrong] of [
  [{ code: "refused", message: "No." }, "refused", false],
  [{ code: "tool_error", message: "Oh." }, "failed", true],
]) {
  test(`an answer with the error ${error.code} makes a call ${state}`, () => {
    const log = logOf({});
    log.response({ id: "r1", error, final: true });
    assert.deepEqual(states(log), { r1: state });
    assert.equal(isFault(log.entries[0]), isWrong);
  });
}

test("a cancelled call is not open any more, and a note is no call", () => {
  const log = logOf({});
  log.cancel("r1");
  log.cancel("unknown");
  log.note("problem", "It broke.", "error");
  assert.equal(log.open, 0);
  assert.deepEqual(log.entries.map(({ state }) => state), ["note", "cancelled", "cancelled"]);
  assert.deepEqual(log.entries.map(isFault), [true, false, false]);
});

test("a repeat of an answered call stays answered, in the same entry", () => {
  const log = logOf({});
  log.response({ id: "r1", result: 1, final: true });
  log.request({ ...REQUEST, replay: true, repeat: true });
  log.response({ id: "r1", result: 1, final: true, repeat: true });
  assert.deepEqual(states(log), { r1: "answered" });
  assert.deepEqual(log.entries[0].parts[2].flags, ["replay", "repeat"]);
});

test("pinned entries stand first and stay when the others are cleared, and so do calls that run", () => {
  const log = logOf({ id: "a" }, { id: "b" }, { id: "c" });
  for (const id of ["a", "b"]) log.response({ id, result: 1, final: true });
  log.entries.find(({ id }) => id === "a").isPinned = true;
  assert.deepEqual(log.entries.map(({ id }) => id), ["a", "c", "b"]);
  log.clear();
  assert.deepEqual(log.entries.map(({ id }) => id), ["a", "c"]);
});

test("the log is bounded in entries and in parts, and drops neither a call that runs nor how it began and ended", () => {
  const log = logOf({ id: "runs" });
  for (let number = 0; number < 300; number++) {
    log.request({ ...REQUEST, id: `r${number}` });
    log.response({ id: `r${number}`, result: 1, final: true });
  }
  assert.equal(log.entries.length, 200);
  assert.equal(states(log).runs, "running");
  for (let step = 0; step < 100; step++) log.response({ id: "runs", result: step, final: false });
  log.response({ id: "runs", result: "end", final: true });
  const { parts } = log.entries.find(({ id }) => id === "runs");
  assert.equal(parts.length, 40);
  assert.deepEqual([parts[0].direction, parts.at(-2).value, parts.at(-1).value], ["in", 99, "end"]);
});

test("a reload keeps the newest entries, cut off where they are long; what ran is interrupted until it arrives again", () => {
  const log = logOf({ id: "old", args: { text: "x".repeat(10_000) } }, { id: "runs" });
  log.response({ id: "old", result: "y".repeat(10_000), final: true });
  const text = JSON.stringify(log);
  assert.ok(text.length < 15_000, `${text.length}`);
  const after = new CallLog(() => 2000);
  after.restore(JSON.parse(text));
  assert.deepEqual(states(after), { old: "answered", runs: "interrupted" });
  // What is cut off can't be called again.
  assert.deepEqual(after.entries.map(({ isCut }) => isCut), [false, true]);
  assert.equal(after.open, 0);
  after.request({ ...REQUEST, id: "runs", replay: true });
  assert.deepEqual(states(after), { old: "answered", runs: "running" });
  assert.equal(after.entries.length, 2);
});

test("of many entries, a reload keeps fifty; of an encrypted session, none", () => {
  const log = logOf(...Array.from({ length: 80 }, (_, number) => ({ id: `r${number}` })));
  assert.equal(log.toJSON().length, 50);
  log.keepsNew = false;
  log.request({ ...REQUEST, id: "secret" });
  assert.equal(JSON.stringify(log).includes("secret"), false);
});

const KEPT = { id: "r1", name: "add_note", at: 1, state: "answered", parts: [], isPinned: false, isKept: true };

test("a kept entry as this version writes it is one", () => {
  const log = new CallLog();
  log.restore([KEPT]);
  assert.deepEqual(log.entries, [KEPT]);
});

for (const kept of [undefined, "text", [null, { id: 1 }, {}], [{ ...KEPT, state: "dancing" }], [{ ...KEPT, parts: [{}] }]]) {
  test(`a kept log that is damaged is none: ${JSON.stringify(kept)}`, () => {
    const log = new CallLog();
    log.restore(kept);
    assert.deepEqual(log.entries, []);
  });
}

test("a filter finds the tool, an argument, an answer and a flag, in any case", () => {
  const log = logOf({});
  log.response({ id: "r1", error: { code: "refused", message: "Not today" }, final: true });
  const [entry] = log.entries;
  for (const text of ["ADD_note", "milk", "not TODAY", "refused", " r1 "]) assert.ok(contains(entry, text), text);
  assert.equal(contains(entry, "butter"), false);
});

test("calls whose session has ended are interrupted; those that have ended are not", () => {
  const log = logOf({ id: "a" }, { id: "b" });
  log.response({ id: "b", result: 1, final: true });
  log.interrupt(["a", "b", "unknown"]);
  assert.deepEqual(states(log), { a: "interrupted", b: "answered" });
});
