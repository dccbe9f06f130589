/** The guest's encryption: arguments are encrypted, and only answers that the tab has encrypted are accepted. */

import { Cipher, isEnvelope } from "./cipher.js";
import { DecryptionError, ToolError } from "../errors.js";

/** @typedef {import("./cipher.js").Call} Call */

/** Unencrypted errors that mean a wrong key. They can be forged, but all that they can do is make a call fail. */
const MISFITS = ["decryption_failed", "not_encrypted"];

export class GuestCipher {
  #cipher;

  /**
   * @param {string} code
   * @param {string} key
   */
  constructor(code, key) {
    this.#cipher = new Cipher(code, key);
  }

  /**
   * @param {Call} call
   * @param {unknown} args
   */
  request(call, args) {
    return this.#cipher.seal("request", call, args);
  }

  /**
   * @param {Call} call
   * @param {any} reply the answer as the server delivered it
   * @returns {Promise<any>} the result; rejects with the `ToolError` that was encrypted in it, or with `DecryptionError`
   */
  async answer(call, { result, error }) {
    if (error || !isEnvelope(result)) throw inTheClear(error?.code, error?.message);
    const answer = await this.#cipher.open("answer", call, result);
    if (answer.error) {
      throw new ToolError(answer.error.code, answer.error.message, answer.error.data, { authenticated: true });
    }
    return answer.result;
  }

  /**
   * @param {Call} call
   * @param {unknown} envelope
   */
  async progress(call, envelope) {
    return (await this.#cipher.open("progress", call, envelope)).result;
  }
}

/**
 * @param {string} [code]
 * @param {string} [message]
 */
function inTheClear(code = "", message = "") {
  // The server sends this for a cancelled request. Forging it gains nothing: the server could also drop the request.
  if (code === "cancelled") return new ToolError(code, message);
  if (MISFITS.includes(code)) return new DecryptionError(code, message);
  return new DecryptionError("answer_in_clear", "The answer came in the clear, so it need not be the tab's: it was dropped.");
}
