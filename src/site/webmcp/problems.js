/** Why sharing failed or ended, in words for the person at the page and its developer. */

import { ApiError, TransportError } from "../client/errors.js";
import { ownOrigin } from "../client/session/session.js";

/** @typedef {import("../waypost.js").StreamState} StreamState */

/** Notes whether the page's Content-Security-Policy blocks requests to this module's server. */
export function watchPolicy() {
  let isBlocked = false;
  const note = (/** @type {SecurityPolicyViolationEvent} */ { blockedURI, effectiveDirective }) => {
    if (effectiveDirective === "connect-src" && blockedURI.startsWith(ownOrigin().slice(0, -1))) isBlocked = true;
  };
  document.addEventListener("securitypolicyviolation", note);
  return { blocked: () => isBlocked, stop: () => document.removeEventListener("securitypolicyviolation", note) };
}

/**
 * Why no session could be opened.
 * @param {unknown} error
 * @param {boolean} isBlocked by the page's policy
 * @returns {Promise<string>}
 */
export async function openingProblem(error, isBlocked) {
  const server = ownOrigin();
  const { host, origin } = new URL(server);
  if (isBlocked) return `This page’s Content-Security-Policy does not allow requests to ${origin}. Its connect-src needs ${origin}.`;
  const isForeign = origin !== location.origin;
  if (error instanceof ApiError && error.code === "origin_not_allowed") return notAllowed(host);
  if (error instanceof TransportError && isForeign && (await isReachable(server))) return notAllowed(host);
  if (error instanceof TransportError) return `${host} could not be reached. ${error.message}`;
  return `No session could be opened. ${error instanceof Error ? error.message : error}`;
}

/** @param {StreamState} end */
export function endText({ reason, error }) {
  if (reason === "ended" || reason === "session_ended") return "Sharing has stopped.";
  if (reason === "expired" || reason === "session_not_found") return "Sharing has ended: the session has expired.";
  return `Sharing has ended: ${error?.message ?? reason}`;
}

/** @param {string} host */
function notAllowed(host) {
  return `${host} does not accept sessions from ${location.origin}. To allow this site, its ALLOWED_ORIGINS must contain ${location.origin}.`;
}

/** Whether a file that any page may read arrives: then it is not the network that fails. @param {string} server */
async function isReachable(server) {
  try {
    return (await fetch(new URL("/webmcp.js", server), { method: "HEAD", cache: "no-store" })).ok;
  } catch {
    return false;
  }
}
