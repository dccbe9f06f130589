/** The server's storage and version, in the page's header. */

import { byId } from "./shared/dom.js";

/**
 * @typedef {object} Health
 * @property {string} storage
 * @property {string} version
 * @property {string} [model]
 * @property {Record<string, number>} [limits]
 * @property {{ operations: string[], until: number } | null} [dailyLimit]
 */

/** Reads the server's health; null if it can't be reached, which is reported elsewhere. @returns {Promise<Health | null>} */
export async function readHealth() {
  const response = await fetch("/health", { cache: "no-store" }).catch(() => null);
  const health = await response?.json().catch(() => null);
  return health?.storage ? health : null;
}

/**
 * Shows storage and version; storage in memory is marked as not durable.
 * @returns {Promise<Health | null>}
 */
export async function showHealth() {
  const place = byId("health");
  const health = await readHealth();
  if (!health) return null;
  const isMemory = health.storage === "memory";
  place.textContent = `${isMemory ? "in memory only, lost on restart" : "Workers KV"} · v${health.version}`;
  place.hidden = false;
  return health;
}
