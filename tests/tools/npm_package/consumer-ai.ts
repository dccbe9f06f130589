// How `waypost/ai` is used from TypeScript; compiled, never run.
import { AbstractChat, type ChatTransport, type UIMessage } from "ai";
import { Chat } from "waypost";
import { toUIMessages, WaypostChatTransport } from "waypost/ai";

interface Metadata {
  threadId?: string;
}

export const transport = new WaypostChatTransport<UIMessage<Metadata>>({
  baseUrl: "https://your-worker.example",
  resourceId: "ada",
  token: () => fetch("/token").then((reply) => reply.json() as Promise<{ token: string; expiresAt: string }>),
  session: () => ({ code: "K7Q2M9XA" }),
});

export const asTransport: ChatTransport<UIMessage<Metadata>> = transport;

// @ts-expect-error A tab is named by its code or by a token.
new WaypostChatTransport({ session: {} });

export async function first(): Promise<UIMessage[]> {
  const { messages, running } = await transport.history("trip");
  const kept = toUIMessages(await new Chat({ threadId: "trip", baseUrl: "https://your-worker.example" }).history());
  // @ts-expect-error A history has messages.
  toUIMessages({});
  return running ? messages : kept.filter(({ metadata }) => metadata?.partial !== true);
}

export type Held = AbstractChat<UIMessage<Metadata>>;
