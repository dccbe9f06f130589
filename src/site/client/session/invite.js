/** Invitation links: the code and, for an encrypted session, the key, in the URL fragment, which browsers send to no server. */

import { WaypostError } from "../errors.js";

/** White space, dashes, soft hyphens and zero-width spaces: what the server ignores in a code (`ids.py`). */
const SEPARATORS = /[\t\n\r \u00a0\u00ad\u2000-\u200b\u2010-\u2015\u202f\u2060\u2212\u3000\ufe58\ufe63\uff0d\ufeff-]/g;

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
  if (at < 0) return { code: withoutSeparators(text) };
  const fragment = new URLSearchParams(text.slice(at + 1).trim());
  const code = fragment.get("join");
  // The message does not repeat the text, which may contain a key.
  if (!code) throw new WaypostError("invalid_link", "This link carries no session code.");
  const base = text.slice(0, at).trim();
  return { code: withoutSeparators(code), key: fragment.get("key") ?? undefined, baseUrl: URL.canParse(base) ? new URL(base).origin : undefined };
}

/** The code in the server's spelling. People may type any case, spaces, dashes, and letters that look like digits. @param {string} text */
export function plainCode(text) {
  return withoutSeparators(text).toUpperCase().replace(/[IL]/g, "1").replaceAll("O", "0");
}

/** @param {string} text */
function withoutSeparators(text) {
  return text.replace(SEPARATORS, "");
}
