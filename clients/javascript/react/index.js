"use client";
/** Waypost in React 18 and later: a tab as host, a guest, and the threads of a chat, as hooks. */

export { useGuest } from "./use-guest.js";
export { useHost } from "./use-host.js";
export { useThreads } from "./use-threads.js";
export { useTool } from "./use-tool.js";
