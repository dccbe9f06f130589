/** Where phones find this page, if it is open at a name that is only this computer's: `make dev` tells it. */

import { inviteLink } from "../../client/session/invite.js";

/** @typedef {import("../../waypost.js").Session} Session */

/** Asked for once. @type {Promise<string | null> | undefined} */
let asked;

/** The address of this server in the network; null if this page's own is as good, or none is known. @returns {Promise<string | null>} */
function networkUrl() {
  if (!("loopback" in document.documentElement.dataset)) return Promise.resolve(null);
  return (asked ??= fetch("/network.json").then(async (response) => (await response.json()).url ?? null).catch(() => null));
}

/**
 * The link that a phone can open; null if it is the session's own, or none. An encrypted session has none: without HTTPS,
 * phones can't encrypt.
 * @param {Session} session
 */
export async function networkLink({ code, key }) {
  const baseUrl = key === undefined ? await networkUrl() : null;
  return baseUrl === null ? null : inviteLink({ code, baseUrl });
}
