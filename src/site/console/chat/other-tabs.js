/** Notifies the other tabs of this browser about changes to a thread, so that they need not poll the server. */

/** @typedef {"answering" | "changed" | "deleted"} News */

export class OtherTabs {
  #channel = new BroadcastChannel("waypost.chat");

  /** @param {(threadId: string, news: News) => void} hear */
  constructor(hear) {
    this.#channel.addEventListener("message", ({ data }) => hear(data.threadId, data.news));
  }

  /** @param {string} threadId @param {News} news */
  tell(threadId, news) {
    this.#channel.postMessage({ threadId, news });
  }
}
