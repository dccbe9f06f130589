// Answers that call tools, as the AI SDK reads them: a chat of each release makes the same message from the stream as
// the history has, runs no tool itself, and does not send the answer back. No Worker: the streams are in a file.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import { VERSIONS, newChat, transport } from "./chats.mjs";

const HEADERS = { "content-type": "text/event-stream", "x-vercel-ai-ui-message-stream": "v1" };
const cases = JSON.parse(readFileSync(process.env.WAYPOST_CASES, "utf-8"));

/** A chat whose every request gets `stream`; `requests` says how many there were, `called` which tools it was to run. */
function chatOf(sdk, stream) {
  const requests = [];
  const called = [];
  const fetch = async (url, init) => {
    requests.push(init.method);
    return new Response(stream, { headers: HEADERS });
  };
  const onToolCall = ({ toolCall }) => void called.push(toolCall);
  const sendAutomaticallyWhen = sdk.lastAssistantMessageIsCompleteWithToolCalls;
  const chat = newChat({ sdk, transport: transport({ fetch }, sdk), init: { onToolCall, sendAutomaticallyWhen } });
  return { chat, requests, called };
}

/** The parts as they are sent as JSON. The oldest release keeps no `providerExecuted` of tools that it does not know;
 * newer ones keep the ids of reasoning. */
function kept(parts, version) {
  const told = JSON.parse(JSON.stringify(parts));
  if (version === "v5") return told.map(({ providerExecuted, ...part }) => part);
  return told.map(({ id, ...part }) => (part.type === "reasoning" ? part : { ...(id && { id }), ...part }));
}

for (const [version, sdk] of Object.entries(VERSIONS)) {
  describe(version, () => {
    for (const { name, stream, parts } of cases) {
      test(name, async () => {
        const { chat, requests, called } = chatOf(sdk, stream);
        await chat.sendMessage({ text: "Go." });
        assert.deepEqual([chat.status, chat.errors], ["ready", []]);
        assert.deepEqual(kept(chat.lastMessage.parts, version), kept(parts, version));
        assert.deepEqual(requests, ["POST"], "it sent by itself");
        assert.deepEqual(called, [], "it was to run the tool");
      });
    }

    test("a chat that is resumed has the same message", async () => {
      const { stream, parts } = cases.find(({ name }) => name === "progress");
      const { chat, requests } = chatOf(sdk, stream);
      chat.messages = [{ id: "m", role: "user", parts: [{ type: "text", text: "Go." }] }];
      await chat.resumeStream();
      assert.deepEqual([chat.status, chat.errors, requests], ["ready", [], ["GET"]]);
      assert.deepEqual(kept(chat.lastMessage.parts, version), kept(parts, version));
      assert.equal(chat.messages.length, 2);
    });

    test("messages of the history are valid ones, and a model can be given them", async () => {
      const messages = cases.map(({ parts }, number) => ({ id: `m${number}`, role: "assistant", parts }));
      const told = await sdk.convertToModelMessages(messages);
      const results = told.flatMap(({ content }) => content).filter(({ type }) => type === "tool-result");
      const calls = told.flatMap(({ content }) => content).filter(({ type }) => type === "tool-call");
      assert.deepEqual(results.map(({ toolCallId }) => toolCallId).sort(), calls.map(({ toolCallId }) => toolCallId).sort());
    });
  });
}
