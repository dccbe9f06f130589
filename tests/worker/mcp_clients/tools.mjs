// The tools of the tab. What begins with `test_`, and what stands below `add`, is what the scenarios of the
// official conformance runner expect of a server, by these names and with these answers.

import { setTimeout as sleep } from "node:timers/promises";

const DOT =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

const OBJECT = { type: "object" };
const NOTHING = { type: "object", properties: {}, additionalProperties: false };
const text = (text) => ({ type: "text", text });
const image = { type: "image", data: DOT, mimeType: "image/png" };

const schema2020 = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: {
      $anchor: "addressDef",
      type: "object",
      properties: { street: { type: "string" }, city: { type: "string" } },
    },
  },
  properties: {
    name: { type: "string" },
    address: { $ref: "#/$defs/address" },
    contactMethod: { type: "string", enum: ["phone", "email"] },
    phone: { type: "string" },
    email: { type: "string" },
  },
  allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
  if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
  then: { required: ["phone"] },
  else: { required: ["email"] },
  additionalProperties: false,
};

/** Name, description, function, and further fields of the tool. */
const offer = (name, description, handler, { inputSchema = NOTHING, ...more } = {}) => [
  { name, description, inputSchema, ...more },
  handler,
];

/** Answer, or report, past the queue that `Host` keeps for it. */
const post = (session, body) => session.http.json("POST", "/api/response", { body: { code: session.code, ...body } });

/** Waits for `tab.release()`, and gives back what it was asked with. */
const holding = (tab, { isSilent = false } = {}) => (args, call) => {
  if (!isSilent) call.progress("held");
  return new Promise((resolve) => tab.held.push(() => resolve(args)));
};

/** Definitions and handlers, as `Host.tool` takes them. */
export const toolsOf = (session, tab) => [
  offer("test_simple_text", "A text", () => ({ content: [text("This is a simple text response for testing.")] })),
  offer("test_image_content", "A picture", () => ({ content: [image] })),
  offer("test_audio_content", "A sound", () => ({
    content: [{ type: "audio", data: SILENCE, mimeType: "audio/wav" }],
  })),
  offer("test_embedded_resource", "A resource", () => ({
    content: [
      {
        type: "resource",
        resource: {
          uri: "test://embedded-resource",
          mimeType: "text/plain",
          text: "This is an embedded resource content.",
        },
      },
    ],
  })),
  offer("test_multiple_content_types", "One of each", () => ({
    content: [
      text("Multiple content types test:"),
      image,
      {
        type: "resource",
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: '{"test":"data","value":123}',
        },
      },
    ],
  })),
  offer("test_error_handling", "Always fails", () => {
    throw new Error("This tool intentionally returns an error for testing");
  }),
  offer("test_tool_with_progress", "Says how far it is", async (_args, { id }) => {
    // `context.progress` skips what is outdated before it could be sent; here each is to arrive.
    for (const done of [0, 50, 100]) {
      const result = { progress: done, total: 100, message: `${done} of 100` };
      await post(session, { id, result, final: false });
    }
    return { content: [text("Done.")] };
  }),
  offer("test_reconnection", "Takes a moment", async () => {
    await sleep(1500);
    return { content: [text("Reconnected.")] };
  }),
  offer("test_headers", "Takes what a header repeats", ({ region }) => ({ content: [text(`${region}`)] }), {
    inputSchema: {
      type: "object",
      properties: { region: { type: "string", "x-mcp-header": "Region" } },
      required: ["region"],
    },
  }),
  offer("json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", () => ({ content: [] }), {
    inputSchema: schema2020,
  }),
  offer("test_logging_tool", "Logs nothing", () => ({ content: [text("Nothing to log.")] })),
  offer("test_streaming_elicitation", "Asks nobody", () => ({ content: [text("Nobody was asked.")] })),
  offer("test_missing_capability", "Takes clients that know tasks", () => ({ content: [] }), {
    execution: { taskSupport: "required" },
  }),
  offer("test_trigger_tool_change", "Offers one more tool", () => {
    tab.offer("triggered");
    return { content: [text("Offered.")] };
  }),
  offer("hold", "Answers when it is told to", holding(tab), { inputSchema: OBJECT }),
  offer("hold_silently", "The same, and reports nothing", holding(tab, { isSilent: true }), { inputSchema: OBJECT }),
  offer("hold_long", "The same, and says that it takes its time", holding(tab), {
    inputSchema: OBJECT,
    execution: { taskSupport: "optional" },
  }),
  offer("add", "The sum", ({ a, b }) => ({ sum: a + b }), {
    inputSchema: { type: "object", properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] },
    outputSchema: { type: "object", properties: { sum: { type: "number" } }, required: ["sum"] },
  }),
  offer("trace", "The trace of the call", (_args, { traceparent = null }) => ({ traceparent }), { inputSchema: OBJECT }),
  offer("link", "A link", () => ({ content: [{ type: "resource_link", uri: "https://app.example/", name: "The page" }] })),
  offer("greet", "Greets", ({ name = "you" }) => ({ content: [text(`Hello, ${name}!`)] }), { inputSchema: OBJECT }),
  offer(
    "slow_compute",
    "Computes for a while",
    async ({ seconds = 1 }, { progress, signal }) => {
      progress("computing");
      await sleep(seconds * 1000, undefined, { signal });
      return { content: [text(`Computed for ${seconds} s.`)] };
    },
    { inputSchema: OBJECT, execution: { taskSupport: "optional" } },
  ),
  offer(
    "protocol_error_job",
    "Fails as if there were no such tool, as a task",
    async (_args, { id }) => {
      await post(session, { id, error: { code: "unknown_tool", message: "There is no such job." } });
      return new Promise(() => {});
    },
    { inputSchema: OBJECT, execution: { taskSupport: "required" } },
  ),
  offer(
    "failing_job",
    "Fails, as a task",
    () => {
      throw new Error("The job has failed.");
    },
    { inputSchema: OBJECT, execution: { taskSupport: "required" } },
  ),
];
