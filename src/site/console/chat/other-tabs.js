/** Notifies the other tabs of this browser about changes to a thread, so that they need not poll the server. */

/** @typedef {"answering" | "changed" | "deleted"} News */

/**
 * What has changed: the thread's record before, and its new title, say; or a message that was deleted.
 * @typedef {{ thread?: import("../../waypost.js").Thread, change?: import("./recent-changes.js").ThreadChange, deletedMessage?: string }} Detail
 */

export class OtherTabs {
  #channel = new BroadcastChannel("waypost.chat");

  /** @param {(threadId: string, news: News, detail: Detail) => void} hear */
  constructor(hear) {
    this.#channel.addEventListener("message", ({ data }) => hear(data.threadId, data.news, data.detail ?? {}));
  }

  /** @param {string} threadId "" for all @param {News} news @param {Detail} [detail] */
  tell(threadId, news, detail = {}) {
    this.#channel.postMessage({ threadId, news, detail });
  }
}
