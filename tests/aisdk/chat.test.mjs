// The AI SDK against the Worker with echo.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
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
  stopOnServer,
  textOf,
  transport,
} from "./chats.mjs";

// Most of their time they wait for the next word, so some go side by side.
describe("the AI SDK", { concurrency: 4 }, () => {
  for (const [version, sdk] of Object.entries(VERSIONS)) {
    test(`${version}: the transport's chunks make a message that streams and is what the history has`, async () => {
      const chatId = `thread-${randomUUID()}`;
      const messages = [{ id: "m1", role: "user", parts: [{ type: "text", text: "hello" }] }];
      const stream = await transport({}, sdk).sendMessages({ chatId, messages, trigger: "submit-message" });
      const [some, others] = stream.tee();
      const seen = [];
      for await (const message of sdk.readUIMessageStream({ stream: some })) seen.push(structuredClone(message));
      const types = (await Array.fromAsync(others)).map((chunk) => chunk.type);

      assert.deepEqual([types[0], types.at(-1)], ["start", "finish"]);
      const last = seen.at(-1);
      assert.equal(textOf(last), firstAnswer("hello"));
      const growing = new Set(seen.map(textOf));
      assert.ok(growing.size > 5, "it came in one piece");
      assert.ok([...growing].every((text) => textOf(last).startsWith(text)));
      assert.ok(last.parts.filter((part) => part.type === "text").every((part) => part.state === "done"));
      assert.deepEqual(await kept(last.metadata), [
        ["m1", "user", "hello"],
        [last.id, "assistant", textOf(last)],
      ]);
      assert.equal(last.metadata.threadId, chatId);
    });

    test(`${version}: a picture goes with its question, and is there when the page is opened again`, async () => {
      const url = "data:image/png;base64,".padEnd(300_000, "A");
      const chat = newChat({ sdk });
      await chat.sendMessage({ text: "Look.", files: [{ type: "file", mediaType: "image/png", filename: "a.png", url }] });
      assert.deepEqual([chat.status, chat.errors], ["ready", []]);
      const { messages } = await (await fetch(`${URL_OF_WAYPOST}/api/chat/${chat.id}?format=ui`)).json();
      const [text, file] = messages[0].parts;
      assert.deepEqual([text.text, file], ["Look.", { type: "file", mediaType: "image/png", url }]);
      const opened = newChat({ sdk, id: chat.id, messages });
      await opened.sendMessage({ text: "And?" });
      assert.deepEqual([opened.status, opened.errors, opened.messages.length], ["ready", [], 4]);
    });

    test(`${version}: a chat sends, and what follows is answered by one who remembers`, async () => {
      const chat = newChat({ sdk });
      await chat.sendMessage({ text: "one" });
      assert.equal(textOf(chat), firstAnswer("one"));
      await chat.sendMessage({ text: "two" });
      assert.equal(textOf(chat), nextAnswer("two", "one"));
      assert.deepEqual([chat.status, chat.errors], ["ready", []]);
      assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
      const { isError, isAbort, isDisconnect } = chat.finished.at(-1);
      assert.ok(!isError && !isAbort && !isDisconnect);
      assert.equal(chat.lastMessage.metadata.partial, false);
    });

    test(`${version}: who resumes in the middle hears it all from its first word, and then the end`, async () => {
      const chat = newChat({ sdk });
      const sending = chat.sendMessage({ text: ENDLESS });
      await heard(chat, "word3");
      const other = newChat({ sdk, id: chat.id, messages: structuredClone(chat.messages.slice(0, 1)) });
      const resuming = other.resumeStream();
      await heard(other, "word3");
      assert.equal((await stopOnServer(chat.id)).stopped, true);
      await Promise.all([sending, resuming]);
      assert.ok(firstAnswer(ENDLESS).startsWith(textOf(other)));
      assert.deepEqual(shown(other), shown(chat));
      assert.deepEqual(other.lastMessage, chat.lastMessage);
      assert.deepEqual([other.status, other.errors], ["ready", []]);
    });

    test(`${version}: where nothing is being said there is nothing to resume`, async () => {
      const chat = newChat({ sdk });
      assert.equal(await transport({}, sdk).reconnectToStream({ chatId: chat.id }), null);
      await chat.sendMessage({ text: "one" });
      assert.equal(await transport({}, sdk).reconnectToStream({ chatId: chat.id }), null);
      const before = shown(chat);
      await chat.resumeStream();
      // The older one stays "submitted" then, whatever the server says.
      assert.deepEqual([chat.status, chat.errors, shown(chat)], [version === "v5" ? "submitted" : "ready", [], before]);
    });
  }

  test("a chat whose connection broke resumes, and has every word once", async () => {
    let isCut = false;
    const cutting = async (url, init) => {
      const reply = await fetch(url, init);
      if (isCut || init.method !== "POST") return reply;
      isCut = true;
      let seen = 0;
      const cut = new TransformStream({
        transform(bytes, controller) {
          seen += bytes.length;
          if (seen > 2000) controller.error(new TypeError("network error"));
          else controller.enqueue(bytes);
        },
      });
      return new Response(reply.body.pipeThrough(cut), { status: reply.status, headers: reply.headers });
    };
    const chat = newChat({ fetch: cutting });
    // Still being answered when it comes back.
    const text = `${LONG} ${LONG} ${LONG}`;
    await chat.sendMessage({ text });
    assert.deepEqual([chat.status, chat.finished.at(-1).isDisconnect], ["error", true]);
    const had = textOf(chat);
    assert.ok(had.includes("word0") && !had.includes("word40"));
    await chat.resumeStream();
    assert.deepEqual([chat.status, textOf(chat)], ["ready", firstAnswer(text)]);
    assert.deepEqual(shown(chat), await kept(chat.lastMessage.metadata));
  });

  test("regenerating replaces the last answer", async () => {
    const chat = newChat();
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "two" });
    const replaced = chat.lastMessage.id;
    await chat.regenerate();
    assert.notEqual(chat.lastMessage.id, replaced);
    assert.deepEqual([chat.messages.length, textOf(chat)], [4, nextAnswer("two", "one")]);
    assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
  });

  test("regenerating an earlier answer drops what came after it", async () => {
    const chat = newChat();
    await chat.sendMessage({ text: "one" });
    const messageId = chat.lastMessage.id;
    await chat.sendMessage({ text: "two" });
    await chat.regenerate({ messageId });
    assert.deepEqual([chat.messages.length, textOf(chat)], [2, firstAnswer("one")]);
    assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
  });

  test("an earlier message that is edited is answered again, and what came after it is dropped", async () => {
    const chat = newChat();
    await chat.sendMessage({ text: "one" });
    await chat.sendMessage({ text: "two" });
    await chat.sendMessage({ text: "three" });
    await chat.sendMessage({ text: "2", messageId: chat.messages[2].id });
    assert.deepEqual([chat.messages.length, textOf(chat)], [4, nextAnswer("2", "one")]);
    assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
    await chat.sendMessage({ text: "four" });
    assert.equal(textOf(chat), nextAnswer("four", "one", "2"));
  });

  test("a stop on the server ends the client's stream as an end, not as an error", async () => {
    const chat = newChat();
    const sending = chat.sendMessage({ text: ENDLESS });
    await heard(chat, "word3");
    assert.equal((await stopOnServer(chat.id)).stopped, true);
    await sending;
    assert.deepEqual([chat.status, chat.errors, chat.finished.at(-1).isError], ["ready", [], false]);
    const { metadata } = chat.lastMessage;
    assert.deepEqual([metadata.finishReason, metadata.partial], ["stopped", true]);
    assert.ok(firstAnswer(ENDLESS).startsWith(textOf(chat)) && textOf(chat) !== firstAnswer(ENDLESS));
    assert.deepEqual(await kept(metadata), shown(chat));
  });

  test("a client that aborts does not end the answer", async () => {
    const chat = newChat();
    const sending = chat.sendMessage({ text: LONG });
    await heard(chat, "word3");
    await chat.stop();
    await sending;
    assert.deepEqual([chat.status, chat.finished.at(-1).isAbort], ["ready", true]);
    const { metadata } = chat.lastMessage;
    await eventually(async () => (await kept(metadata))[1]?.[2] === firstAnswer(LONG));
  });

  test("a second message at the same time is an error that says what is in the way, unless it interrupts", async () => {
    const chat = newChat();
    const sending = chat.sendMessage({ text: ENDLESS });
    await heard(chat, "word3");
    const other = newChat({ id: chat.id });
    await other.sendMessage({ text: "and?" });
    assert.equal(other.status, "error");
    assert.match(other.errors[0].message, /answer_running/);
    assert.match(other.errors[0].message, new RegExp(chat.lastMessage.id));
    await other.sendMessage({ text: "never mind" }, { body: { interrupt: true } });
    await sending;
    assert.deepEqual([other.status, chat.status], ["ready", "ready"]);
    assert.equal(chat.lastMessage.metadata.finishReason, "stopped");
    assert.match(textOf(other), /^You said: "never mind"\. Before that, you told me: 1\. "long word0/);
  });

  test("a thread belongs to the resource that the app names", async () => {
    const resourceId = `user-${randomUUID()}`;
    const prepareReconnectToStreamRequest = ({ id, api }) => ({ api: `${api}/${id}/stream?resourceId=${resourceId}` });
    const options = { body: { resourceId }, prepareReconnectToStreamRequest };
    const chat = newChat(options);
    const sending = chat.sendMessage({ text: ENDLESS });
    await heard(chat, "word3");
    assert.equal(chat.lastMessage.metadata.resourceId, resourceId);
    assert.equal(await transport().reconnectToStream({ chatId: chat.id }), null);
    const other = newChat({ ...options, id: chat.id });
    const resuming = other.resumeStream();
    await heard(other, "word3");
    assert.equal((await stopOnServer(chat.id, { resourceId })).stopped, true);
    await Promise.all([resuming, sending]);
    assert.deepEqual(shown(other).at(-1), shown(chat).at(-1));
  });
});
