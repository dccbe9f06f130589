// A long chat with the AI SDK as it is, which sends all of it with each question, against a model whose answers are long.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { VERSIONS, kept, newChat, shown, textOf } from "./chats.mjs";

const TURNS = 40;
const CHARACTERS = 12_000;
// All three take a minute and a half.
const { v6, ...usual } = VERSIONS;
const TRIED = process.env.WAYPOST_SOAK ? VERSIONS : usual;
const question = (number) => `${number}? `.padEnd(CHARACTERS, "é");

describe("a long chat", { concurrency: 2 }, () => {
  for (const [version, sdk] of Object.entries(TRIED)) {
    test(`${version}: ${TURNS} turns of ${CHARACTERS} characters, odd old messages, and an early one edited`, async () => {
      const bodies = [];
      const counting = (url, init) => (bodies.push(init.body?.length ?? 0), fetch(url, init));
      const chat = newChat({ sdk, fetch: counting });
      for (let number = 1; number <= TURNS; number++) {
        await chat.sendMessage({ text: question(number) });
        assert.deepEqual([chat.status, chat.errors], ["ready", []], `question ${number}`);
        assert.equal(textOf(chat).length, CHARACTERS);
      }
      assert.ok(bodies.at(-1) > 2 * TURNS * CHARACTERS - CHARACTERS, "it did not send its messages");
      assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat).slice(-10));

      const output = Object.fromEntries(Array.from({ length: 16_400 }, (_, number) => [`name${number}`, number]));
      const tool = { type: "tool-look", toolCallId: "c", state: "output-available", input: "half \ud83e", output };
      chat.messages = chat.messages.with(1, { ...chat.messages[1], parts: [...chat.messages[1].parts, tool] });
      await chat.sendMessage({ text: "Go on." });
      assert.deepEqual([chat.status, chat.errors], ["ready", []]);

      // Older than what is kept: all that followed it goes, here and there.
      await chat.sendMessage({ text: "Again.", messageId: chat.messages[2].id });
      assert.deepEqual([chat.messages.length, chat.errors], [4, []]);
      assert.deepEqual((await kept(chat.lastMessage.metadata)).slice(-2), shown(chat).slice(-2));
      assert.equal(shown(chat).slice(-2)[0][2], "Again.");
      await chat.regenerate({ messageId: chat.messages[1].id });
      assert.deepEqual([chat.messages.length, chat.errors], [2, []]);
      assert.deepEqual(await kept(chat.lastMessage.metadata), shown(chat));
    });
  }
});
