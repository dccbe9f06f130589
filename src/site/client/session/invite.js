/** Invitation links: the code and, for an encrypted session, the key, in the URL fragment, which browsers send to no server. */

import { WaypostError } from "../errors.js";

/** @typedef {{ code: string, key?: string, baseUrl?: string }} Invite */

/** @param {{ code: string, key?: string, baseUrl: string }} invite */
export function inviteLink({ code, key, baseUrl }) {
  const fragment = new URLSearchParams(key === undefined ? { join: code } : { join: code, key });
  return new URL(`/#${fragment}`, baseUrl).href;
}

/**
 * Parses a code or a whole link.
 * @param {string} text
 * @returns {Invite} `baseUrl`: the server that the link names, if it names one
 */
export function readInvite(text) {
  const at = text.indexOf("#");
  if (at < 0) return { code: text.trim() };
  const fragment = new URLSearchParams(text.slice(at + 1).trim());
  const code = fragment.get("join");
  // The message does not repeat the text, which may contain a key.
  if (!code) throw new WaypostError("invalid_link", "This link carries no session code.");
  const base = text.slice(0, at).trim();
  return { code, key: fragment.get("key") ?? undefined, baseUrl: URL.canParse(base) ? new URL(base).origin : undefined };
}

/** The code in the server's spelling. People may type any case, hyphens, and letters that look like digits. @param {string} text */
export function plainCode(text) {
  return text.trim().replaceAll("-", "").toUpperCase().replace(/[IL]/g, "1").replaceAll("O", "0");
}
