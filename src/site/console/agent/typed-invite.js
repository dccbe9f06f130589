/** What people type and paste where a session code is asked for: read as what they mean, or refused with the true reason. */

import { plainCode, readInvite } from "../../client/session/invite.js";

/** A code as the server spells it (`ids.py`). */
const CODE = /^[0-9A-HJKMNP-TV-Z]{8,16}$/;

/** An MCP address: it leads MCP clients to a browser's newest session, and is no code. */
const ADDRESS = /^[0-9A-Za-z_-]{32}$/;

/** The place of the code in the URL of an MCP client. */
const MCP_PATH = /^\/mcp\/([^/]+)\/?$/;

/**
 * @typedef {{ code: string, key?: string }} Typed
 * @typedef {{ fault: string, link?: string }} Fault `link`: where it leads instead
 */

/**
 * @param {string} text
 * @param {string} origin of this page
 * @returns {Typed | Fault}
 */
export function readTyped(text, origin) {
  const trimmed = text.trim();
  if (/^[a-z]+:\/\//i.test(trimmed)) return readLink(trimmed, origin);
  if (trimmed.includes("#join=")) return readFragment(trimmed);
  return readCode(trimmed);
}

/** @param {string} text @param {string} origin @returns {Typed | Fault} */
function readLink(text, origin) {
  if (!URL.canParse(text)) return { fault: "This link is not complete. Copy it again." };
  const url = new URL(text);
  const [, last] = MCP_PATH.exec(url.pathname) ?? [];
  const isInvite = url.hash.includes("join=");
  if (!isInvite && last === undefined) return { fault: "This link contains no session code. Copy the link of the tab." };
  if (!/^https?:$/.test(url.protocol)) return { fault: "This is no link of a tab." };
  if (url.origin !== origin) {
    if (isInvite) return { fault: `This link belongs to ${url.host}, and this page is ${new URL(origin).host}.`, link: url.href };
    return { fault: `This URL belongs to ${url.host}, and this page is ${new URL(origin).host}.` };
  }
  return isInvite ? readFragment(text) : readCode(last);
}

/** @param {string} text @returns {Typed | Fault} */
function readFragment(text) {
  const { code, key } = readInvite(text);
  const read = readCode(code);
  return "fault" in read || key === undefined ? read : { ...read, key };
}

/** @param {string} text @returns {Typed | Fault} */
function readCode(text) {
  if (ADDRESS.test(text)) return { fault: "This is the address of an MCP client. A page joins with the session code, or with the link of the tab." };
  const code = plainCode(text).replace(/[^0-9A-Z]/g, "");
  if (CODE.test(code)) return { code };
  return { fault: "This is no session code: a code has eight letters and digits or more, such as K7Q2-M9XA." };
}
