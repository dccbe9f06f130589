/** Ids that nobody else has. */

/** A random id of 32 hexadecimal digits. `crypto.randomUUID` is missing on plain HTTP, where tabs on a LAN are. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
