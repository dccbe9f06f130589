// The AI SDK against the Worker with echo, in chats that use the tools of a tab; the tab is waypost.js.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { Host, createSession } from "../../src/site/waypost.js";
import { URL_OF_WAYPOST, VERSIONS, eventually, newChat, textOf } from "./chats.mjs";

const NOTE = {
  name: "add_note",
  description: "Adds a note.",
  inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"] },
};

describe("a chat that uses a tab", { concurrency: 9 }, () => {
  /** @type {Host} */
  let host;
  let body;
  const notes = [];
  /** Tools that wait until a test lets them go on, by their note. */
  const held = new Map();

  before(async () => {
    const session = await createSession({ baseUrl: URL_OF_WAYPOST, storage: null });
    host = new Host(session).tool(NOTE, async ({ text }, { progress }) => {
      notes.push(text);
      await progress("saving");
      if (text.startsWith("slow")) await new Promise((resolve) => held.set(text, resolve));
      if (text.startsWith("bad")) throw new Error("There is no room.");
      return { noted: text };
    });
    await host.connect();
    body = { session: { code: session.code } };
  });

  after(() => host.close());

  /** The parts that a tool's call has in a message, and the kinds of all its parts. */
  const partsOf = ({ parts }) => ({
    kinds: parts.map(({ type }) => type),
    calls: parts.filter(({ type }) => type === "dynamic-tool"),
  });
  const history = async (chat) => (await (await fetch(`${URL_OF_WAYPOST}/api/chat/${chat.id}`)).json()).messages;

  for (const [version, sdk] of Object.entries(VERSIONS)) {
    const init = {
      onToolCall: ({ toolCall }) => assert.fail(`${toolCall.toolName} is not for this page`),
      sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
    };

    test(`${version}: shows a call, its result and what the model says then, and so does the history`, async () => {
      const text = `Milk of ${version}`;
      const chat = newChat({ sdk, body, init });
      await chat.sendMessage({ text: `/add_note ${JSON.stringify({ text })}` });
      assert.deepEqual([chat.status, chat.errors, chat.messages.length], ["ready", [], 2]);
      const { kinds, calls } = partsOf(chat.lastMessage);
      assert.deepEqual(kinds.filter((kind) => kind !== "text"), ["step-start", "dynamic-tool", "data-tool-progress", "step-start"]);
      const [{ toolName, state, input, output }] = calls;
      assert.deepEqual({ toolName, state, input, output }, { toolName: "add_note", state: "output-available", input: { text }, output: { noted: text } });
      assert.match(textOf(chat), /noted/);
      assert.deepEqual(notes.filter((note) => note === text), [text]);

      const kept = (await history(chat)).at(-1);
      assert.deepEqual([kept.id, partsOf(kept).kinds, textOf(kept)], [chat.lastMessage.id, kinds, textOf(chat)]);
      const opened = newChat({ sdk, body, init, id: chat.id, messages: await history(chat) });
      await opened.sendMessage({ text: "And?" });
      assert.deepEqual([opened.status, opened.errors, opened.messages.length], ["ready", [], 4]);
    });

    test(`${version}: resumes while a tool runs, from its call on, and hears how it ends`, async () => {
      const text = `slow ${version}`;
      const chat = newChat({ sdk, body, init });
      const sending = chat.sendMessage({ text: `/add_note ${JSON.stringify({ text })}` });
      const open = (one) => one.lastMessage?.parts.some(({ state }) => state === "input-available");
      await eventually(() => open(chat) && held.has(text));
      const other = newChat({ sdk, init, id: chat.id, messages: structuredClone(chat.messages.slice(0, 1)) });
      const resuming = other.resumeStream();
      await eventually(() => open(other));
      held.get(text)();
      await Promise.all([sending, resuming]);
      assert.deepEqual([other.status, other.errors], ["ready", []]);
      assert.deepEqual(other.lastMessage, chat.lastMessage);
      assert.equal(partsOf(other.lastMessage).calls[0].state, "output-available");
      assert.deepEqual(notes.filter((note) => note === text), [text]);
    });

    test(`${version}: shows that a tool failed, and why`, async () => {
      const chat = newChat({ sdk, body, init });
      await chat.sendMessage({ text: `/add_note ${JSON.stringify({ text: `bad ${version}` })}` });
      assert.deepEqual([chat.status, chat.errors], ["ready", []]);
      const [{ state, errorText }] = partsOf(chat.lastMessage).calls;
      assert.deepEqual([state, errorText], ["output-error", "There is no room."]);
    });
  }
});
