// The AI SDK against the Worker with echo, in chats whose page has tools of its own: it runs them in `onToolCall`, and
// sends their outputs by itself.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { URL_OF_WAYPOST, VERSIONS, eventually, newChat, textOf, transport } from "./chats.mjs";

const API = readFileSync(new URL("../../docs/api.md", import.meta.url), "utf8");
const PRINTED = /```js\n([^`]*addToolOutput[^`]*)```/.exec(API)[1];
const PARAMETERS = { type: "object", properties: { of: { type: "string" } }, required: ["of"] };
const TOOLS = { pick: { description: "Picks one.", parameters: PARAMETERS }, ask_person: { parameters: PARAMETERS } };
const LISTED = Object.entries(TOOLS).map(([name, tool]) => ({ name, ...tool }));

const history = async (chat) => (await (await fetch(`${URL_OF_WAYPOST}/api/chat/${chat.id}`)).json()).messages;
const callsOf = ({ parts }) => parts.filter(({ toolCallId }) => toolCallId);
/** The parts as they are sent as JSON, without what a release adds to them. */
const bare = ({ parts }) =>
  JSON.parse(JSON.stringify(parts)).map(({ providerMetadata, rawInput, ...part }) => part);

/** A chat whose page has `TOOLS`. `picks`: whether `pick` runs by itself. `asked`: what was to run; `sent`: the roles of each request. */
function newPage({ sdk, picks = true, tools = TOOLS, ...options }) {
  const asked = [];
  const sent = [];
  const fetched = (url, init) => {
    if (init.body) sent.push(JSON.parse(init.body).messages.map(({ role }) => role).join(" "));
    return fetch(url, init);
  };
  const init = {
    sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
    onToolCall: ({ toolCall: { toolName, toolCallId, input } }) => {
      asked.push([toolName, input]);
      // Not awaited: it waits for the end of this function.
      if (picks && toolName === "pick") void put(chat, toolName, toolCallId, { picked: input.of });
    },
  };
  const chat = newChat({ sdk, init, transport: transport({ fetch: fetched, body: { tools } }, sdk), ...options });
  return { chat, asked, sent };
}

const put = (chat, tool, toolCallId, output) => (chat.addToolOutput ?? chat.addToolResult)({ tool, toolCallId, output });
/** Waits until the chat is at rest and says this. */
const ended = async (chat, said) => {
  await eventually(() => chat.status !== "ready" || said.test(textOf(chat)));
  await eventually(() => chat.status === "error" || (chat.status === "ready" && said.test(textOf(chat))));
  assert.deepEqual([chat.status, chat.errors], ["ready", []]);
};

describe("a page with tools of its own", { concurrency: 9 }, () => {
  for (const [version, sdk] of Object.entries(VERSIONS)) {
    test(`${version}: runs what the model calls, and the same message goes on with the output`, async () => {
      const { chat, asked, sent } = newPage({ sdk });
      await chat.sendMessage({ text: '/pick {"of": "tea"}\nthen\n/pick {"of": "milk"}' });
      await ended(chat, /pick returned: {"picked":"milk"}/);
      assert.deepEqual(asked, [["pick", { of: "tea" }], ["pick", { of: "milk" }]]);
      assert.deepEqual(sent, ["user", "user assistant", "user assistant"]);
      assert.equal(chat.messages.length, 2);
      assert.deepEqual(callsOf(chat.lastMessage).map(({ type, output }) => [type, output]), [
        ["tool-pick", { picked: "tea" }],
        ["tool-pick", { picked: "milk" }],
      ]);
      const [, kept] = await history(chat);
      assert.equal(kept.id, chat.lastMessage.id);
      assert.deepEqual(bare(kept).map(({ type, text, output }) => [type, text, output]), bare(chat.lastMessage).map(({ type, text, output }) => [type, text, output]));
    });

    test(`${version}: is opened again while a call waits for its person, and goes on there`, async () => {
      const { chat, asked } = newPage({ sdk, tools: LISTED });
      await chat.sendMessage({ text: '/ask_person {"of": "tea"}' });
      assert.deepEqual([chat.status, asked.length], ["ready", 1]);
      const opened = newPage({ sdk, tools: LISTED, id: chat.id, messages: await history(chat) });
      const [call] = callsOf(opened.chat.lastMessage);
      assert.deepEqual([call.type, call.state, call.input], ["tool-ask_person", "input-available", { of: "tea" }]);
      await put(opened.chat, "ask_person", call.toolCallId, "yes");
      await ended(opened.chat, /ask_person returned: yes/);
      assert.deepEqual([opened.sent, opened.asked, opened.chat.messages.length], [["user assistant"], [], 2]);

      // The page that was open all the time answers too late: it is shown what counted.
      await put(chat, "ask_person", call.toolCallId, "no");
      await ended(chat, /ask_person returned: yes/);
      assert.equal(callsOf(chat.lastMessage)[0].output, "yes");
      assert.equal(textOf(chat), textOf(opened.chat));
    });

    test(`${version}: may ask something else while a call waits`, async () => {
      const { chat } = newPage({ sdk });
      await chat.sendMessage({ text: '/ask_person {"of": "tea"}' });
      await chat.sendMessage({ text: "Never mind." });
      await ended(chat, /You said: "Never mind."/);
      const [, left] = await history(chat);
      assert.match(callsOf(left)[0].errorText, /went on without this call/);
    });
  }

  for (const [version, sdk] of Object.entries(VERSIONS)) {
    test(`${version}: does so with the snippet of the documentation`, async () => {
      const code = PRINTED.replace("addToolOutput", version === "v5" ? "addToolResult" : "addToolOutput");
      const useChat = ({ id, messages, transport: ofPage, ...init }) => newChat({ sdk, id, messages, transport: ofPage, init });
      const given = {
        useChat,
        DefaultChatTransport: sdk.DefaultChatTransport,
        lastAssistantMessageIsCompleteWithToolCalls: sdk.lastAssistantMessageIsCompleteWithToolCalls,
        threadId: `thread-${randomUUID()}`,
        messages: [],
        api: `${URL_OF_WAYPOST}/api/chat`,
        document: { title: "A page" },
      };
      const chat = new Function(...Object.keys(given), `${code}\nreturn chat;`)(...Object.values(given));
      await chat.sendMessage({ text: "/read_title" });
      await ended(chat, /read_title returned: A page/);
    });
  }

  test("its newer releases send that a tool failed", async () => {
    for (const sdk of [VERSIONS.v6, VERSIONS.v7]) {
      const { chat } = newPage({ sdk });
      await chat.sendMessage({ text: '/ask_person {"of": "tea"}' });
      const [{ toolCallId }] = callsOf(chat.lastMessage);
      await chat.addToolOutput({ tool: "ask_person", toolCallId, state: "output-error", errorText: "Nobody is there." });
      await ended(chat, /Error \(failed\): Nobody is there\./);
      assert.equal(callsOf(chat.lastMessage)[0].errorText, "Nobody is there.");
    }
  });
});
