// How the client is used from TypeScript; compiled, never run. Each expected error is one that the types must catch.
import { ApiError, CallTimeout, createSession, Guest, Host, joinSession, Session, ToolError } from "../../src/site/waypost.js";
import type { ToolContext, ToolDefinition } from "../../src/site/waypost.js";

const definition: ToolDefinition = { name: "add", inputSchema: { type: "object" } };

async function add({ a, b }: { a: number; b: number }, context: ToolContext): Promise<number> {
  context.progress({ done: 0.5 });
  context.signal.throwIfAborted();
  return a + b;
}

export async function tab(): Promise<Session> {
  const session = Session.restore() ?? (await createSession({ ttl: 600, label: "types" }));
  const host = new Host(session).tool(definition, add);
  host.on("state", ({ state, delayMs }) => console.log(state, delayMs?.toFixed()));
  host.on("response", ({ id, error }) => console.log(id, error?.code));
  // @ts-expect-error There is no such event.
  host.on("sate", () => {});
  // @ts-expect-error A tool needs a name.
  host.tool({}, add);
  await host.connect();
  return session;
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
