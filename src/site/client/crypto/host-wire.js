/** What is between a host's handlers and the server: nothing, or the encryption of its session. */

import { Cipher, FORMAT, isEnvelope } from "./cipher.js";
import { DecryptionError } from "../errors.js";
import { ReplayGuard } from "../storage/replay-guard.js";

/** @typedef {import("../storage/request-store.js").Answer} Answer */
/** @typedef {import("../storage/request-store.js").AnswerError} AnswerError */
/** @typedef {import("../host/runner.js").AnsweredCall} AnsweredCall */
/** @typedef {import("../host/runner.js").Request} Request */
/** @typedef {import("../host/tool-registry.js").ToolDefinition} ToolDefinition */

/** Where a tool's definition says that its session is encrypted. A hint for guests without a key: who has one needs none. */
const MARK = "waypost/encryption";

/** What a host without a key says to an envelope: its handlers could make nothing of it. @type {AnswerError} */
const NOT_ENCRYPTED = {
  code: "not_encrypted",
  message: "This session is not encrypted, and its tab has no key: the link belongs to another session.",
};

/** @typedef {PlainWire | EncryptedWire} Wire */

/** Nothing. */
export class PlainWire {
  /** @param {Request} request @returns {Request} */
  open(request) {
    return isEnvelope(request.args) ? { ...request, args: undefined, refusal: NOT_ENCRYPTED } : request;
  }

  /** @param {AnsweredCall} _call @param {Answer} answer */
  answer(_call, answer) {
    return answer;
  }

  /** @param {ToolDefinition} definition */
  offer(definition) {
    return definition;
  }

  /** @returns {AnswerError | null} */
  refusal() {
    return null;
  }

  /** @returns {AnswerError | null} */
  admit() {
    return null;
  }

  close() {}
}

/** Encryption: requests are opened, in their order, and run once; answers are sealed. */
export class EncryptedWire {
  #cipher;
  #replayGuard;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /**
   * @param {{ code: string, key: string, memory: string }} session
   * @param {Storage | null} storage
   * @param {(error: unknown) => void} fail
   */
  constructor({ code, key, memory }, storage, fail) {
    this.#cipher = new Cipher(code, key);
    this.#replayGuard = new ReplayGuard(memory, storage, fail);
  }

  /**
   * The request with its arguments in the clear, or with the error that it is refused with.
   * @param {Request} request
   * @returns {Promise<Request>}
   */
  open(request) {
    const opened = this.#turn.then(() => this.#open(request));
    this.#turn = opened.catch(() => {});
    return opened;
  }

  /**
   * What to send: whether it was a success or an error is sealed in as well. A refusal stays in the clear: who asked has
   * no key that fits, and it says nothing that the server does not know.
   * @param {AnsweredCall} call
   * @param {Answer} answer
   * @param {boolean} final
   */
  async answer(call, answer, final) {
    return call.refusal ? answer : { result: await this.#cipher.seal(final ? "answer" : "progress", call, answer) };
  }

  /** `definition`, with the word that its session is encrypted. @param {ToolDefinition} definition */
  offer(definition) {
    return { ...definition, _meta: { ...definition._meta, [MARK]: FORMAT } };
  }

  /** What `admit` would say now. @param {string} id */
  refusal(id) {
    return this.#replayGuard.refusal(id);
  }

  /** Whether the request `id` may run, which it does then; if not, what to answer. @param {string} id */
  admit(id) {
    return this.#replayGuard.admit(id);
  }

  /** The session is over: nothing is run any more. */
  close() {
    this.#replayGuard.close();
  }

  /** @param {Request} request @returns {Promise<Request>} */
  async #open({ args, ...request }) {
    try {
      return { ...request, args: await this.#arguments(request, args) };
    } catch (error) {
      if (!(error instanceof DecryptionError)) throw error;
      return { ...request, refusal: { code: error.code, message: error.message } };
    }
  }

  /**
   * @param {import("./cipher.js").Call} call
   * @param {unknown} args
   */
  async #arguments(call, args) {
    if (!isEnvelope(args)) {
      const message = "This session is end-to-end encrypted: join it with its whole link, which carries the key.";
      throw new DecryptionError("encryption_required", message);
    }
    const opened = await this.#cipher.open("request", call, args);
    const isObject = typeof opened === "object" && opened !== null && !Array.isArray(opened);
    if (!isObject) throw new DecryptionError("decryption_failed", "What was encrypted is no object of arguments.");
    return opened;
  }
}

/** Whether the host of these tools says that its session is encrypted. @param {ToolDefinition[]} tools */
export function saysEncrypted(tools) {
  return tools.some(({ _meta }) => _meta?.[MARK] !== undefined);
}