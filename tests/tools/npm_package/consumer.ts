// How the package is used from TypeScript; compiled, never run. Each expected error is one that the types must catch.
import { createSession, Host, joinSession, Session, type StateStorage, type Thread } from "waypost";
import { fileStorage } from "waypost/node";
import { useGuest, useHost, useThreads, useTool } from "waypost/react";
import { asyncStorage, memoryStorage, webStorage } from "waypost/storage";

const baseUrl = "https://your-worker.example";

export async function program(): Promise<Host> {
  const storage = fileStorage("./state");
  const session = Session.restore(storage) ?? (await createSession({ baseUrl }));
  session.save(storage);
  // @ts-expect-error A folder is named.
  fileStorage();
  return new Host(session, { storage });
}

export async function phone(items: Map<string, string>): Promise<StateStorage | null> {
  const store = {
    getItem: async (key: string) => items.get(key) ?? null,
    setItem: async (key: string, value: string) => void items.set(key, value),
    removeItem: async (key: string) => void items.delete(key),
  };
  const storage = await asyncStorage(store);
  await storage.written();
  // @ts-expect-error It has to be able to forget.
  await asyncStorage({ getItem: store.getItem, setItem: store.setItem });
  return items.size > 9 ? memoryStorage() : (webStorage() ?? storage);
}

export function Page({ code }: { code?: string }): string {
  const host = useHost({ baseUrl, label: "cart", approve: async ({ tool }) => (tool === "pay" ? "once" : "refuse") });
  useTool(host, { name: "add", inputSchema: { type: "object" } }, ({ a, b }, { progress }) => (progress(0.5), a + b));
  // @ts-expect-error A tool needs a name.
  useTool(host, {}, () => 1);
  // @ts-expect-error There is no such option.
  useHost({ url: baseUrl });
  const guest = useGuest(code, { baseUrl });
  void guest.call("add", { a: 1 }, { timeout: 1000 }).then((sum: number) => sum.toFixed());
  const { threads, change } = useThreads("ada", { baseUrl, token: async () => ({ token: "t", expiresAt: "" }), archived: false });
  void change("trip", { title: "Trip" }).then((thread: Thread) => thread.title);
  // @ts-expect-error A title is a text.
  void change("trip", { title: 1 });
  if (host.state === "superseded") host.takeOver();
  // @ts-expect-error There is no such state.
  if (host.state === "open") host.retry();
  return `${host.code?.length} ${host.session?.expiresAt.getTime()} ${guest.session?.tools.length} ${threads.map(({ title }) => title)}`;
}

export const other = (link: string): Promise<unknown> => joinSession(link).then((guest) => guest.call("add"));
