// A host, a guest and a chat in one program, which ends by itself. The server comes from WAYPOST_URL.
import { Chat, createSession, Host, joinSession, listThreads, ToolError } from "waypost";
import { memoryStorage } from "waypost/storage";

function check(name, got, expected) {
  if (JSON.stringify(got) === JSON.stringify(expected)) return;
  throw new Error(`${name}: ${JSON.stringify(got)} in place of ${JSON.stringify(expected)}`);
}

for (const encrypted of [false, true]) {
  const session = await createSession({ encrypted, label: "trial" });
  const host = new Host(session, { storage: memoryStorage() });
  host.tool({ name: "add" }, async ({ a, b }, { progress }) => (progress("adding"), a + b));
  host.tool({ name: "fail" }, () => Promise.reject(new Error("No room.")));
  await host.connect();
  const guest = await joinSession(session.link);
  const told = [];
  check("a call", await guest.call("add", { a: 1, b: 2 }, { onProgress: (value) => told.push(value) }), 3);
  check("the tools", (await guest.session()).tools.map(({ name }) => name), ["add", "fail"]);
  const failure = await guest.call("fail").catch((error) => error);
  check("a failure", [failure instanceof ToolError, failure.message, failure.authenticated], [true, "No room.", encrypted]);
  const stop = AbortSignal.timeout(1);
  const cancelled = await guest.call("nothing", {}, { signal: stop }).catch((error) => error.name);
  check("a cancelled call", cancelled, "TimeoutError");
  await host.close();
  await session.end();
}

const threadId = `trial-${crypto.randomUUID()}`;
const chat = new Chat({ threadId, resourceId: threadId });
let text = "";
for await (const event of chat.send("Hello")) if (event.type === "delta") text += event.text;
check("an answer", text.startsWith('You said: "Hello".'), true);
check("a history", (await chat.history()).messages.map(({ role }) => role), ["user", "assistant"]);
check("threads", (await listThreads(threadId)).sessions.length, 1);
console.log("ok");
