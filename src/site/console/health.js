/** What the server says about itself, in the page's head. */

import { byId } from "./shared/dom.js";

/** @typedef {{ storage: string, version: string, model?: string, limits?: Record<string, number> }} Health */

/**
 * Show where it stores things; one that stores nothing durable says so. A server out of reach shows elsewhere.
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
