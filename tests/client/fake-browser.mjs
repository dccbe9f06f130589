/** What a browser has and Node lacks: pages that come and go, and locks that they share. */

/** Web Locks, as far as one exclusive lock by name goes: https://www.w3.org/TR/web-locks/ */
export class FakeLocks {
  /** The requests of each name; the first one has the lock. @type {Map<string, object[]>} */
  #queues = new Map();

  request(name, { signal }, callback) {
    const queue = this.#queues.get(name) ?? this.#queues.set(name, []).get(name);
    return new Promise((resolve, reject) => {
      const wait = { start: null };
      const leave = () => {
        queue.splice(queue.indexOf(wait), 1);
        queue[0]?.start();
      };
      const abort = () => {
        leave();
        reject(signal.reason);
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      wait.start = async () => {
        signal.removeEventListener("abort", abort);
        resolve(await callback({ name }).finally(leave));
      };
      queue.push(wait);
      if (queue[0] === wait) queueMicrotask(wait.start);
    });
  }
}

/** Gives this process locks, a window and a document, until the function that it returns is called. */
export function installBrowser({ locks = new FakeLocks(), prerendering = false } = {}) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible", prerendering });
  const before = ["navigator", "window", "document"].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  define("navigator", { locks, onLine: true });
  define("window", window);
  define("document", document);
  return {
    window,
    document,
    /** The page is left; `persisted`: it stays in the back/forward cache. */
    hide: (persisted = false) => window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted })),
    /** It comes back from there. */
    show: () => window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true })),
    uninstall() {
      for (const [name, descriptor] of before) {
        if (descriptor) Object.defineProperty(globalThis, name, descriptor);
        else delete globalThis[name];
      }
    },
  };
}
