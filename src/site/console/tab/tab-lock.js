/**
 * One tab, one host. Duplicating a tab copies its sessionStorage, and two hosts of one session would run every request
 * twice; so a session belongs to the tab that holds its lock, and a copy opens a session of its own.
 */

/** How long the page before a reload may take to release the lock. */
const PATIENCE_MS = 1500;

/**
 * Locks the session `code` for this page, until the page is left. Resolves with false if another tab holds the lock.
 * @param {string} code
 * @returns {Promise<boolean>} true as well where the browser has no locks (plain HTTP)
 */
export function lockSession(code) {
  const { locks } = navigator;
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const hold = () => {
      resolve(true);
      return new Promise(() => {});
    };
    locks
      .request(`waypost:${code}`, { signal: AbortSignal.timeout(PATIENCE_MS) }, hold)
      .catch(() => resolve(false));
  });
}
