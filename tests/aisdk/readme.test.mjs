// The README's snippet as it is printed: its history, its transport, and what a user does with it.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import {
  ENDLESS,
  LONG,
  URL_OF_WAYPOST,
  VERSIONS,
  eventually,
  firstAnswer,
  heard,
  kept,
  newChat,
  nextAnswer,
  shown,
  textOf,
} from "./chats.mjs";

const README = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const PRINTED = /```js\n([^`]*(?:`[^`]+`[^`]*)*useChat\([^]*?)```/.exec(README)[1];
const AsyncFunction = (async () => {}).constructor;

/** The chat that the snippet makes on a page of `threadId`, and its requests. */
async function open(sdk, threadId) {
  const requests = [];
  const useChat = ({ resume, ...options }) => {
    const chat = newChat({ ...options, sdk });
    // As the hook does when it is mounted. Before that is over, 5.0.0 would forget what a user sends meanwhile.
    chat.resumed = resume ? chat.resumeStream() : Promise.resolve();
    return chat;
  };
  class DefaultChatTransport extends sdk.DefaultChatTransport {
    constructor(options) {
      super({ ...options, fetch: (url, init) => (requests.push({ url, ...init }), fetch(url, init)) });
    }
  }
  const code = PRINTED.replace("https://your-worker.example", URL_OF_WAYPOST) + "\nreturn chat;";
  const chat = await new AsyncFunction("threadId", "useChat", "DefaultChatTransport", code)(
    threadId,
    useChat,
    DefaultChatTransport,
  );
  return Object.assign(chat, { requests });
}

describe("the README's snippet", { concurrency: 4 }, () => {
  for (const [version, sdk] of Object.entries(VERSIONS)) {
    test(`${version}: the history is there first, and a reload in mid-answer shows each word once`, async () => {
      const threadId = `thread-${randomUUID()}`;
      const chat = await open(sdk, threadId);
      assert.deepEqual(chat.messages, []);
      await chat.resumed;
      await chat.sendMessage({ text: "one" });
      const sending = chat.sendMessage({ text: LONG });
      await heard(chat, "word3");
      const reloaded = await open(sdk, threadId);
      assert.deepEqual(shown(reloaded).slice(0, 3), shown(chat).slice(0, 3));
      await Promise.all([sending, reloaded.resumed]);
      assert.deepEqual(shown(reloaded), shown(chat));
      assert.deepEqual(shown(await open(sdk, threadId)), shown(chat));
    });

    test(`${version}: after a stop the next question is answered, and the page and the server agree`, async () => {
      const threadId = `thread-${randomUUID()}`;
      const chat = await open(sdk, threadId);
      await chat.resumed;
      const sending = chat.sendMessage({ text: ENDLESS });
      await heard(chat, "word3");
      await chat.stop();
      await sending;
      await chat.sendMessage({ text: "and?" });
      assert.deepEqual([chat.status, chat.errors], ["ready", []]);
      assert.match(textOf(chat), /^You said: "and\?"\. Before that, you told me: 1\. "long word0/);
      const onServer = await kept(chat.lastMessage.metadata);
      assert.deepEqual(onServer.map(([id]) => id), shown(chat).map(([id]) => id));
      // The server may have a few words more than the page had when it stopped.
      assert.ok(onServer[1][2].startsWith(textOf(chat.messages[1])));
      assert.notEqual(onServer[1][2], firstAnswer(ENDLESS));
      // As the SDK is: no field of ours was sent.
      const names = chat.requests.filter(({ body }) => body).flatMap(({ body }) => Object.keys(JSON.parse(body)));
      assert.deepEqual(new Set(names), new Set(["id", "messages", "trigger"]));
    });

    test(`${version}: a stop before the first word leaves nothing in the way either`, async () => {
      const chat = await open(sdk, `thread-${randomUUID()}`);
      await chat.resumed;
      const sending = chat.sendMessage({ text: ENDLESS });
      await eventually(() => chat.lastMessage?.role === "assistant");
      await chat.stop();
      await sending;
      await chat.sendMessage({ text: "and?" });
      assert.deepEqual([chat.status, chat.errors], ["ready", []]);
    });

    test(`${version}: regenerating and editing go on as before`, async () => {
      const chat = await open(sdk, `thread-${randomUUID()}`);
      await chat.resumed;
      for (const text of ["one", "two", "three"]) await chat.sendMessage({ text });
      await chat.regenerate({ messageId: chat.messages[3].id });
      assert.deepEqual([chat.messages.length, textOf(chat)], [4, nextAnswer("two", "one")]);
      await chat.sendMessage({ text: "1", messageId: chat.messages[0].id });
      assert.deepEqual([chat.messages.length, textOf(chat)], [2, firstAnswer("1")]);
      assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
    });
  }
});
