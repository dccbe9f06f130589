/** Random ids. */

/** A random id of 32 hexadecimal digits. `crypto.randomUUID` is missing on plain HTTP, where tabs on a LAN are. */
export function newId() {
  return hex(crypto.getRandomValues(new Uint8Array(16)));
}

/** A random UUID (version 4): `crypto.randomUUID()`, or built from random bytes where the browser lacks it. */
export function newUuid() {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  // https://www.rfc-editor.org/rfc/rfc9562#section-5.4
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
