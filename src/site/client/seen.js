/**
 * Ids of the requests that an encrypted session has run. The ledger may forget one in favour of what anybody with the
 * code can send; a server that is not trusted must not be able to make a tab forget, and then run a request again.
 */

/** Requests of one session; then it is full, since forgetting one would let it run again. */
const MAX_SEEN = 10_000;

export class Seen {
  #key;
  #storage;
  #fail;
  #limit;
  /** @type {Set<string>} */
  #ids;

  /**
   * @param {string} code the session's
   * @param {Storage | null} storage
   * @param {(error: unknown) => void} fail told when something can't be stored
   * @param {number} [limit]
   */
  constructor(code, storage, fail, limit = MAX_SEEN) {
    this.#key = `waypost.seen.${code}`;
    this.#storage = storage;
    this.#fail = fail;
    this.#limit = limit;
    // No id has a comma in it.
    this.#ids = new Set(storage?.getItem(this.#key)?.split(","));
  }

  /**
   * Let the request `id` run, once.
   * @param {string} id
   * @returns {import("./ledger.js").AnswerError | null} what to answer instead
   */
  admit(id) {
    const refusal = this.refusal(id);
    if (refusal) return refusal;
    this.#ids.add(id);
    try {
      this.#storage?.setItem(this.#key, [...this.#ids].join(","));
    } catch (error) {
      this.#fail(error);
    }
    return null;
  }

  /** What `admit` would say, without letting it run. @param {string} id @returns {import("./ledger.js").AnswerError | null} */
  refusal(id) {
    if (this.#ids.has(id)) {
      return { code: "already_run", message: "This request was run before; its answer is not remembered any more." };
    }
    if (this.#ids.size >= this.#limit) {
      return { code: "session_full", message: `This session has run ${this.#limit} requests: open a new one.` };
    }
    return null;
  }

  /** Forget all: the session is over. */
  clear() {
    this.#ids.clear();
    this.#storage?.removeItem(this.#key);
  }
}
