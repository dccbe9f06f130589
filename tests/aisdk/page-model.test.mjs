// The AI SDK with tools of its page, against the Worker with a model's service that the caller scripts: each release
// asks once, the model calls both tools in one reply, and says what it makes of their outputs.

import assert from "node:assert/strict";
import { test } from "node:test";

import { VERSIONS, eventually, newChat, textOf, transport } from "./chats.mjs";

const tools = [{ name: "read_title" }, { name: "read_url", description: "Reads the address." }];
const outputs = { read_title: "A page", read_url: { url: "https://a.example/" } };

for (const [version, sdk] of Object.entries(VERSIONS)) {
  test(`${version}: two calls of one reply are sent back together`, async () => {
    const init = {
      sendAutomaticallyWhen: sdk.lastAssistantMessageIsCompleteWithToolCalls,
      onToolCall: ({ toolCall: { toolName: tool, toolCallId } }) =>
        void (chat.addToolOutput ?? chat.addToolResult)({ tool, toolCallId, output: outputs[tool] }),
    };
    const chat = newChat({ sdk, init, transport: transport({ body: { tools } }, sdk) });
    await chat.sendMessage({ text: `What is this, ${version}?` });
    await eventually(() => chat.status === "ready" && textOf(chat) === "I look. A page.");
    assert.deepEqual([chat.errors, chat.messages.length], [[], 2]);
  });
}
