/**
 * The names under which MCP clients see the tools of a session: the server's `sessions/tool_names.py`, which says why. A tab needs them
 * only to refuse a tool whose mapped name another one has.
 */

const MAX_LENGTH = 64;

/** @param {string} name */
export function mappedName(name) {
  const mapped = name.replace(/[^A-Za-z0-9_-]/g, "_");
  if (mapped.length <= MAX_LENGTH) return mapped;
  return `${mapped.slice(0, MAX_LENGTH - 9)}_${fnv1a(name).toString(16).padStart(8, "0")}`;
}

/** The 32-bit hash FNV-1a of an ASCII text. @param {string} text */
function fnv1a(text) {
  let digest = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) digest = Math.imul(digest ^ text.charCodeAt(at), 0x01000193);
  return digest >>> 0;
}
