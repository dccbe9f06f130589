/**
 * Which of the browser's tabs the MCP address leads to: the newest one that is open. A lock of the browser goes from tab to
 * tab: a new session takes it away, and when its tab is closed, another tab gets it and claims the address.
 */

const LOCK = "waypost.address";

/** How long a tab whose lock was released may take to reload. */
const RELOAD_MS = 5000;

/** @typedef {import("../../waypost.js").Session} Session */

/**
 * Lets `session`, which has taken the address, hold it until the returned function is called.
 * @param {Session} session
 * @param {object} options
 * @param {boolean} options.isRestored after a reload, in which another tab may have claimed the address
 * @param {(error?: unknown) => void} options.claimed called after each claim, with the error of one that failed
 * @returns {() => void}
 */
export function holdAddress(session, { isRestored, claimed }) {
  const done = new AbortController();
  // Browsers have no locks over plain HTTP: there the newest session has the address, whether its tab is open or not.
  if (navigator.locks) hold(session, isRestored, claimed, done.signal);
  return () => done.abort();
}

/**
 * @param {Session} session
 * @param {boolean} isRestored
 * @param {(error?: unknown) => void} claimed
 * @param {AbortSignal} done
 */
async function hold(session, isRestored, claimed, done) {
  const isShared = isRestored && (await isWanted());
  let isHeld = false;
  const claim = () => session.claimAddress().then(() => claimed(), claimed);
  const own = async () => {
    isHeld = true;
    if (isShared) await claim();
    await aborted(done);
  };
  const inherit = async () => {
    isHeld = true;
    await pause(RELOAD_MS);
    if (isHeld && !done.aborted) await claim();
    await aborted(done);
  };
  // Rejected when a newer session takes the lock away.
  await navigator.locks.request(LOCK, { steal: true }, own).catch(() => {});
  while (!done.aborted) {
    isHeld = false;
    await navigator.locks.request(LOCK, { signal: done }, inherit).catch(() => {});
  }
}

/** Whether another tab has the lock or waits for it. */
async function isWanted() {
  const { held = [], pending = [] } = await navigator.locks.query();
  return [...held, ...pending].some(({ name }) => name === LOCK);
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** @param {number} ms @returns {Promise<void>} */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
