/** The link that invites an agent: the code and, if the session is encrypted, its key. Browsers send a fragment nowhere. */

import { WaypostError } from "../errors.js";

/** @typedef {{ code: string, key?: string, baseUrl?: string }} Invite */

/** @param {{ code: string, key?: string, baseUrl: string }} invite */
export function inviteLink({ code, key, baseUrl }) {
  const fragment = new URLSearchParams(key === undefined ? { join: code } : { join: code, key });
  return new URL(`/#${fragment}`, baseUrl).href;
}

/**
 * What a code or a whole link says.
 * @param {string} text
 * @returns {Invite} `baseUrl`: the server that the link names, if it names one
 */
export function readInvite(text) {
  const at = text.indexOf("#");
  if (at < 0) return { code: text.trim() };
  const fragment = new URLSearchParams(text.slice(at + 1).trim());
  const code = fragment.get("join");
  // The text itself is never repeated: there may be a key in it.
  if (!code) throw new WaypostError("invalid_link", "This link carries no session code.");
  const base = text.slice(0, at).trim();
  return { code, key: fragment.get("key") ?? undefined, baseUrl: URL.canParse(base) ? new URL(base).origin : undefined };
}

/** The code as the server writes it: it takes any case, hyphens, and letters that look like digits. @param {string} text */
export function plainCode(text) {
  return text.trim().replaceAll("-", "").toUpperCase().replace(/[IL]/g, "1").replaceAll("O", "0");
}
