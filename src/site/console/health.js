/** The server's storage and version, in the page's header. */

import { byId } from "./shared/dom.js";

/** @typedef {{ storage: string, version: string, model?: string, limits?: Record<string, number> }} Health */

/**
 * Shows them; storage in memory is marked as not durable. An unreachable server is reported elsewhere.
 * @returns {Promise<Health | null>}
 */
export async function showHealth() {
  const place = byId("health");
  const response = await fetch("/health", { cache: "no-store" }).catch(() => null);
  const health = await response?.json().catch(() => null);
  if (!health?.storage) return null;
  const isMemory = health.storage === "memory";
  place.textContent = `${isMemory ? "in memory only, lost on restart" : "Workers KV"} · v${health.version}`;
  place.hidden = false;
  return health;
}
