/** Why sharing failed or ended, in words for the person at the page and its developer. */

import { ApiError, TransportError } from "../client/errors.js";
import { ownOrigin } from "../client/server.js";

/** @typedef {import("../waypost.js").StreamState} StreamState */

/** How long after a failed request the browser may report that the page's policy blocked it. */
const REPORT_MS = 500;

/** Notes whether the page's Content-Security-Policy blocks requests to this module's server. */
export class PolicyWatch {
  #isBlocked = false;
  #note = (/** @type {SecurityPolicyViolationEvent} */ { blockedURI, effectiveDirective }) => {
    if (effectiveDirective !== "connect-src" || !blockedURI.startsWith(serverOrigin())) return;
    this.#isBlocked = true;
    this.#wake();
  };
  #wake = () => {};

  constructor() {
    document.addEventListener("securitypolicyviolation", this.#note);
  }

  /** Resolves when a block is known, or when none was reported in time. */
  async reported() {
    if (this.#isBlocked) return;
    await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
      this.#wake = resolve;
      setTimeout(resolve, REPORT_MS);
    });
  }

  /** What to change, if it does. @returns {string | null} */
  get problem() {
    const origin = serverOrigin();
    return this.#isBlocked ? `This page’s Content-Security-Policy does not allow requests to ${origin}: its connect-src needs ${origin}.` : null;
  }

  stop() {
    document.removeEventListener("securitypolicyviolation", this.#note);
  }
}

/**
 * Why no session could be opened.
 * @param {unknown} error
 * @returns {Promise<string>}
 */
export async function openingProblem(error) {
  const server = ownOrigin();
  const { host, origin } = new URL(server);
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

function serverOrigin() {
  return new URL(ownOrigin()).origin;
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
