/** Where a link of an answer may lead. A model repeats what it has read, also from those who mean harm. */

import { branch, textOf } from "./tree.js";

/** @typedef {import("./tree.js").Tree} Tree */

const SCHEMES = ["http:", "https:", "mailto:"];

/** A name of a host, as a text may pretend to lead to. */
const HOST = /(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}/u;

/** The address, if it may be followed; null for a script, data, a file, or a place within this site. @param {string} href */
export function safeUrl(href) {
  const url = URL.canParse(href) ? new URL(href) : null;
  return url && SCHEMES.includes(url.protocol) ? url : null;
}

/**
 * A link with this text. If that names another host than the one it leads to, the host stands behind it.
 * @param {URL} url
 * @param {Tree[]} children
 * @param {boolean} [namesHost] whether the host stands behind it in any case
 */
export function linkTo(url, children, namesHost = false) {
  const shown = HOST.exec(children.map(textOf).join(""))?.[0] ?? "";
  const isOther = shown !== "" && url.host !== "" && bare(shown) !== bare(url.host);
  const note = url.host && (namesHost || isOther) ? [branch("span", { class: "link-host" }, ` (${url.host})`)] : [];
  // Not in this tab, which may hold a session; and the other side is not told where it came from.
  return branch("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, ...children, ...note);
}

/** @param {string} host */
function bare(host) {
  return host.toLowerCase().replace(/^www\./, "").replace(/:\d+$/, "");
}
