// How the client is used from TypeScript; compiled, never run. Each expected error is one that the types must catch.
import { ApiError, CallTimeout, canEncrypt, createSession, DecryptionError, Guest, Host, joinSession, Session, ToolError } from "../../src/site/waypost.js";
import { beginThread, changeThread, Chat, clearSessionId, deleteResource, deleteThread, exportResource } from "../../src/site/waypost.js";
import { getSessionId, listThreads, Pages, readThread, voice } from "../../src/site/waypost.js";
import type { Approver, ChatMessage, StateStorage, ToolContext, ToolDefinition } from "../../src/site/waypost.js";

const definition: ToolDefinition = { name: "add", inputSchema: { type: "object" } };

async function add({ a, b }: { a: number; b: number }, context: ToolContext): Promise<number> {
  context.progress({ done: 0.5 });
  context.signal.throwIfAborted();
  return a + b;
}

export async function tab(): Promise<Session> {
  const session = (await Session.claim()) ?? Session.restore() ?? (await createSession({ ttl: 600, label: "types" }));
  const host = new Host(session).tool(definition, add);
  host.on("state", ({ state, delayMs, since }) => {
    console.log(state, delayMs?.toFixed(), since?.getTime());
    if (state === "superseded" || state === "elsewhere") host.takeOver();
  });
  host.on("response", ({ id, error }) => console.log(id, error?.code));
  // @ts-expect-error There is no such event.
  host.on("sate", () => {});
  // @ts-expect-error A tool needs a name.
  host.tool({}, add);
  await host.connect();
  return session;
}

export async function staying(): Promise<string> {
  const session = await createSession({ address: true, storage: null });
  const address: string | undefined = session.address;
  const [claimed, renewed]: string[] = [await session.claimAddress(), await session.renewAddress(sessionStorage)];
  return `${session.mcpUrl} ${address} ${claimed} ${renewed}`;
}

export function elsewhere(kept: Map<string, string>, session: Session): Host {
  const storage: StateStorage = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: (key) => void kept.delete(key),
  };
  session.save(storage);
  // @ts-expect-error A storage can remove what it keeps.
  session.save({ getItem: storage.getItem, setItem: storage.setItem });
  return new Host(Session.restore(storage) ?? session, { storage });
}

export async function carefully(session: Session): Promise<boolean> {
  const approve: Approver = async ({ tool, args, definition, restarted, signal }) => {
    signal.throwIfAborted();
    if (restarted || definition.annotations?.destructiveHint) return "refuse";
    return tool === "add" && args.a < 100 ? "always" : "once";
  };
  const host = new Host(session, { approve }).tool(definition, add, { approve: () => "once" });
  host.on("approval", ({ id, tool, decision }) => console.log(id, tool, decision === "refuse"));
  host.requireApproval("add");
  host.requireApproval("add", false);
  // @ts-expect-error There are three words to choose from.
  new Host(session, { approve: () => "yes" });
  return host.needsApproval("add");
}

export async function agent(code: string): Promise<number> {
  const guest: Guest = await joinSession(code);
  try {
    return await guest.call("add", { a: 1 }, { timeout: 1000, onProgress: (value) => console.log(value) });
  } catch (error) {
    if (error instanceof ToolError) console.log(error.code, error.data);
    else if (error instanceof CallTimeout) console.log(error.id);
    else if (error instanceof ApiError) console.log(error.status, error.problem.code);
    // @ts-expect-error A tool is named, not numbered.
    return guest.call(1);
  }
}

export async function secretly(): Promise<string> {
  const session = await createSession({ encrypted: canEncrypt() });
  const guest = await joinSession(session.link);
  const same = new Guest(session.code, { key: session.key });
  try {
    return await same.call("read");
  } catch (error) {
    if (error instanceof ToolError && error.authenticated) return error.message;
    if (error instanceof DecryptionError) return error.code;
    // @ts-expect-error A key is a text.
    new Guest(session.code, { key: 1 });
    return (await guest.session()).encrypted ? session.link : "";
  }
}

export async function talk(signal: AbortSignal): Promise<ChatMessage[]> {
  const chat = new Chat({ threadId: "trip", resourceId: "ada", appKey: "key" });
  const running = await chat.resume({ signal });
  for await (const event of running ?? chat.send("Hello", { metadata: { title: "Trip" }, signal })) {
    if (event.type === "delta") console.log(event.text.length, event.characters.toFixed());
    else if (event.type === "tool_call") console.log(event.name, event.arguments, event.step.toFixed());
    else if (event.type === "tool_result") console.log(event.id, event.isError ? event.result?.message : event.result);
    else if (event.type === "done") console.log(event.finishReason === "stopped", event.partial);
    // @ts-expect-error There is no such event.
    else if (event.type === "finish") break;
  }
  for await (const { type } of chat.send("And now", { session: { code: "K7Q2M9XA" } })) if (type === "tool_progress") break;
  // @ts-expect-error A session is named by its code or by a token.
  chat.send("And now", { session: {} });
  // @ts-expect-error A chat has a thread.
  new Chat({ resourceId: "ada" });
  const { stopped } = await chat.stop();
  const branch = await chat.fork({ threadId: "other-trip", atMessageId: "m1" });
  console.log(stopped, (await branch.export("jsonl")).length);
  const { sessions, cursor } = await listThreads("ada", { limit: 10, metadata: { kind: "trip" } });
  for (const { threadId, forkedFrom } of sessions) console.log(threadId, forkedFrom?.messageId, cursor);
  if (await deleteThread("ada", "other-trip")) console.log("gone");
  const { messages } = await chat.history();
  for (const { kind, id } of messages.at(-1)?.toolEvents ?? []) console.log(kind === "result", id);
  return messages;
}

export async function everythingOf(resourceId: string): Promise<number> {
  const begun = await beginThread(resourceId, "trip", { title: "Trip" });
  const { title, archived } = await changeThread(resourceId, begun.threadId, { archived: true }, { appKey: "key" });
  console.log(title?.length, archived === true, (await readThread(resourceId, "trip"))?.sessionId);
  // @ts-expect-error A title is a text.
  await changeThread(resourceId, "trip", { title: null });
  const chat = new Chat({ threadId: "trip", resourceId });
  const { messages, before, truncated } = await chat.history({ limit: 10 });
  if (before) await chat.history({ limit: 10, before });
  if (messages[0] && !truncated) await chat.deleteMessage(messages[0].id);
  for await (const line of exportResource(resourceId)) {
    if (line.kind === "thread") console.log(line.thread.threadId);
    else if (line.kind === "conversation") console.log(line.conversation.messages.length);
    // @ts-expect-error There is no such line.
    else if (line.kind === "file") break;
  }
  return (await deleteResource(resourceId)).deleted;
}

export async function offerThePagesTools(host: Host): Promise<string[]> {
  const page = await host.webmcp().ready();
  page.on("change", () => console.log(page.refused.map(({ name, reason }) => `${name}: ${reason}`)));
  if (host.removeTool("add")) page.stop();
  // @ts-expect-error Tools are read, not set.
  page.tools = [];
  return page.tools.map(({ name }) => name);
}

export async function ask(): Promise<string> {
  clearSessionId();
  const pages = new Pages(getSessionId());
  const { url } = await pages.put({ html: "<p>Hi", title: "Hi" });
  console.log(url, (await pages.list()).map(({ expiresAt }) => new Date(expiresAt)));
  // @ts-expect-error A question is a text.
  await voice({ question: "Hello" });
  return (await voice("Hello")).response;
}
