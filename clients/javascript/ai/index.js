/** Waypost for the AI SDK 5, 6 and 7: https://ai-sdk.dev */

export { WaypostChatTransport } from "./chat-transport.js";
export { toUIMessages } from "./ui-messages.js";
