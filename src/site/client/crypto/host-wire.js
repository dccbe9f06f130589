/** The host's messages as they travel: plain, or encrypted if the session is. */

import { Cipher, FORMAT, isEnvelope } from "./cipher.js";
import { DecryptionError } from "../errors.js";
import { MAX_RESULT_BYTES } from "../host/tool-answer.js";
import { ReplayGuard } from "../storage/replay-guard.js";

/** @typedef {import("../storage/tab-storage.js").StateStorage} StateStorage */
/** @typedef {import("../storage/request-store.js").Answer} Answer */
/** @typedef {import("../storage/request-store.js").AnswerError} AnswerError */
/** @typedef {import("../host/runner.js").AnsweredCall} AnsweredCall */
/** @typedef {import("../host/runner.js").Request} Request */
/** @typedef {import("../host/tool-registry.js").ToolDefinition} ToolDefinition */

/** The `_meta` field of a tool's definition that marks its session as encrypted: a hint for guests without the key. */
const MARK = "waypost/encryption";

/** The refusal of an encrypted request by a host without a key. @type {AnswerError} */
const NOT_ENCRYPTED = {
  code: "not_encrypted",
  message: "This session is not encrypted, and its tab has no key: the link belongs to another session.",
};

/** @typedef {PlainWire | EncryptedWire} Wire */

/** Messages of a session without encryption: passed through unchanged. */
export class PlainWire {
  /** The largest result that fits into one message, in bytes of JSON. */
  maxResultBytes = MAX_RESULT_BYTES;
  isEncrypted = false;

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

  /** The ids that were admitted. @returns {string[]} */
  get admitted() {
    return [];
  }

  /** Adds ids that another page has admitted. Returns whether it is certain now that they can't run again. @returns {boolean} */
  adopt() {
    return true;
  }

  close() {}
}

/** Messages of an encrypted session: requests are decrypted in order and admitted once; answers are encrypted. */
export class EncryptedWire {
  /** As above: base64 takes four characters for three bytes, and padding and envelope some more. */
  maxResultBytes = (MAX_RESULT_BYTES / 4) * 3 - 1024;
  isEncrypted = true;
  #cipher;
  #replayGuard;
  /** @type {Promise<unknown>} */
  #turn = Promise.resolve();

  /**
   * @param {{ code: string, key: string, memory: string }} session
   * @param {StateStorage | null} storage
   * @param {(error: unknown) => void} fail
   */
  constructor({ code, key, memory }, storage, fail) {
    this.#cipher = new Cipher(code, key);
    this.#replayGuard = new ReplayGuard(memory, storage, fail);
    this.#replayGuard.reserve();
  }

  /**
   * Decrypts the arguments of `request`; if that fails, sets its `refusal`.
   * @param {Request} request
   * @returns {Promise<Request>}
   */
  open(request) {
    const opened = this.#turn.then(() => this.#open(request));
    this.#turn = opened.catch(() => {});
    return opened;
  }

  /**
   * The answer to send. Whether it is a success or an error is encrypted too. A refusal is sent unencrypted: the guest has no
   * matching key, and a refusal tells nothing that the server does not know.
   * @param {AnsweredCall} call
   * @param {Answer} answer
   * @param {boolean} final
   */
  async answer(call, answer, final) {
    return call.refusal ? answer : { result: await this.#cipher.seal(final ? "answer" : "progress", call, answer) };
  }

  /** `definition`, marked as part of an encrypted session. @param {ToolDefinition} definition */
  offer(definition) {
    return { ...definition, _meta: { ...definition._meta, [MARK]: FORMAT } };
  }

  /** The error that `admit` would return now; null: none. @param {string} id */
  refusal(id) {
    return this.#replayGuard.refusal(id);
  }

  /** Admits the request `id`, once. Returns null, or the error to answer with. @param {string} id */
  admit(id) {
    return this.#replayGuard.admit(id);
  }

  get admitted() {
    return this.#replayGuard.ids;
  }

  /** @param {string[]} ids */
  adopt(ids) {
    return this.#replayGuard.adopt(ids);
  }

  /** Ends the session: no request is admitted any more. */
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

/** Whether these tools are marked as part of an encrypted session. @param {ToolDefinition[]} tools */
export function saysEncrypted(tools) {
  return tools.some(({ _meta }) => _meta?.[MARK] !== undefined);
}