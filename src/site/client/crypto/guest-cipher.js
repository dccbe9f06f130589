/** What encryption puts between a guest and the server: arguments are sealed, and only what the tab has sealed is believed. */

import { Cipher, isEnvelope } from "./cipher.js";
import { DecryptionError, ToolError } from "../errors.js";

/** @typedef {import("./cipher.js").Call} Call */

/** Errors that stand for a key that does not fit. Nobody could prove them: they only ever make a call fail. */
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
   * @param {any} reply what the server gave for the tab's answer
   * @returns {Promise<any>} the result; rejects with the `ToolError` that was sealed in, or with `DecryptionError`
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
  // The server answers so for a request that was taken back; it could as well have dropped it.
  if (code === "cancelled") return new ToolError(code, message);
  if (MISFITS.includes(code)) return new DecryptionError(code, message);
  return new DecryptionError("answer_in_clear", "The answer came in the clear, so it need not be the tab's: it was dropped.");
}
