/** What waits for the person: one matter is shown, in the order in which they came, unless the person chooses another one. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { WaitingQueue } from "../../src/site/console/approval/waiting-queue.js";

function queueOf(...names) {
  const queue = new WaitingQueue();
  const matters = names.map((name) => ({ name }));
  for (const matter of matters) queue.add(matter);
  return { queue, matters };
}

test("the first one is shown, and the next one takes its place", () => {
  const { queue, matters } = queueOf("a", "b", "c");
  assert.deepEqual([queue.shown, queue.position, queue.size], [matters[0], 1, 3]);
  assert.deepEqual(queue.others, matters.slice(1));
  assert.equal(queue.remove(matters[0]), true);
  assert.deepEqual([queue.shown, queue.position], [matters[1], 1]);
});

test("one that comes later does not take the place of the one that is shown", () => {
  const { queue, matters } = queueOf("a");
  queue.add({ name: "b" });
  assert.equal(queue.shown, matters[0]);
});

test("the one that the person chooses is shown, and after it the one that follows it, or else the last one", () => {
  const { queue, matters } = queueOf("a", "b", "c");
  queue.choose(matters[1]);
  assert.deepEqual([queue.shown, queue.position], [matters[1], 2]);
  queue.remove(matters[1]);
  assert.equal(queue.shown, matters[2]);
  queue.remove(matters[2]);
  assert.equal(queue.shown, matters[0]);
});

test("one that is withdrawn unseen leaves the shown one alone, and can't be chosen any more", () => {
  const { queue, matters } = queueOf("a", "b");
  queue.remove(matters[1]);
  queue.choose(matters[1]);
  assert.deepEqual([queue.shown, queue.size], [matters[0], 1]);
  assert.equal(queue.remove(matters[1]), false);
});

test("an empty queue shows nothing", () => {
  const { queue, matters } = queueOf("a");
  queue.remove(matters[0]);
  assert.deepEqual([queue.shown, queue.position, queue.all], [null, 0, []]);
});
