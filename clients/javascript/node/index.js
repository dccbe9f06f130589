/** What a program keeps in files, so that its session outlives a restart: Node, Bun, Deno. */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** @typedef {import("../waypost.js").StateStorage} StateStorage */

/**
 * A storage in a folder that is made if it is missing; one program at a time may use it. It holds tokens: only this user can
 * read it. A write survives the end of the process, however it ends, but not necessarily a power failure.
 * @param {string} folder
 * @returns {StateStorage}
 */
export function fileStorage(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (/** @type {string} */ key) => `${folder}/${encodeURIComponent(key)}`;
  return {
    getItem(key) {
      try {
        return readFileSync(path(key), "utf8");
      } catch (error) {
        if (/** @type {any} */ (error)?.code === "ENOENT") return null;
        throw error;
      }
    },
    setItem(key, value) {
      // Renamed when it is whole: a process that is killed here leaves the old value.
      const draft = `${path(key)}.new`;
      writeFileSync(draft, value, { mode: 0o600 });
      renameSync(draft, path(key));
    },
    removeItem: (key) => rmSync(path(key), { force: true }),
  };
}
