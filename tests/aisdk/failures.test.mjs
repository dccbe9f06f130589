// The AI SDK against a model that refuses the first time, breaks off the second, and then answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { kept, newChat, shown, textOf } from "./chats.mjs";

test("an error before the first word, one after it, and then an answer", async () => {
  const chat = newChat();
  await chat.sendMessage({ text: "hello" });
  assert.equal(chat.status, "error");
  assert.match(chat.errors[0].message, /status 401/);
  // The SDK shows an answer from its start on; this one has no text, and was not kept.
  assert.deepEqual([textOf(chat), chat.lastMessage.metadata.errorCode], ["", "model_failed"]);
  assert.deepEqual(await kept(chat.lastMessage.metadata), []);

  await chat.regenerate();
  assert.deepEqual([chat.status, chat.errors.length, chat.finished.at(-1).isError], ["error", 2, true]);
  assert.match(chat.errors[1].message, /broke off/);
  assert.equal(textOf(chat), "Hello you");
  assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));

  await chat.regenerate();
  assert.deepEqual([chat.status, chat.errors.slice(2)], ["ready", []]);
  assert.equal(textOf(chat), "Hello from the model.");
  assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
});
