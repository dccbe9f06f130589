/**
 * End-to-end encryption of one session: AES-256-GCM with one key per direction. Each message is bound to its kind, its
 * request and its session. docs/encryption.md lists what this guarantees and what it does not.
 */

import { fromBase64url, toBase64url } from "./base64url.js";
import { DecryptionError, WaypostError } from "../errors.js";
import { toJson } from "../json.js";

/** The version of the format, in every envelope and in the additional data of every ciphertext. */
export const FORMAT = "e2e1";

const KEY_BYTES = 32;

/** The nonce length that AES-GCM uses directly. Nonces are random, so pages that share a key need no common counter. */
const NONCE_BYTES = 12;

/** Messages are padded to a multiple of this, so that their length reveals little. */
const PADDING_BYTES = 256;

/**
 * The most messages that one page encrypts. Random nonces are safe for 2^32 under one key, of all pages together
 * (https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf, 8.3); no session of a day has 256 such pages.
 */
const MAX_SEALED = 2 ** 24;

/** A `request` goes to the host; `progress` and the final `answer` come from it. @typedef {"request" | "progress" | "answer"} Kind */
/** @typedef {{ id: string, tool: string }} Call the request that a message is about */
/** @typedef {{ $waypost: string, n: string, c: string }} Envelope `n`: the nonce, `c`: the ciphertext with its tag, both base64url */

/** Whether this page may encrypt: browsers allow it for pages loaded over HTTPS or from localhost. */
export function canEncrypt() {
  return globalThis.crypto?.subtle !== undefined;
}

/** Makes the key of a new session. */
export function newKey() {
  assertCanEncrypt();
  return toBase64url(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

/** @param {unknown} value @returns {value is Envelope} */
export function isEnvelope(value) {
  return typeof value === "object" && value !== null && "$waypost" in value;
}

/** Encrypts (`seal`) outgoing messages and decrypts (`open`) incoming ones. */
export class Cipher {
  #code;
  #secret;
  #limit;
  #sealed = 0;
  /** @type {Record<string, Promise<CryptoKey>>} */
  #keys = {};

  /**
   * @param {string} code the session's, as the server writes it
   * @param {string} key
   * @param {{ limit?: number }} [options]
   */
  constructor(code, key, { limit = MAX_SEALED } = {}) {
    assertCanEncrypt();
    const secret = fromBase64url(key);
    if (secret?.length !== KEY_BYTES) {
      throw new WaypostError("invalid_key", "The session's key is damaged: copy the whole link again.");
    }
    this.#code = code;
    this.#secret = secret;
    this.#limit = limit;
  }

  /**
   * @param {Kind} kind
   * @param {Call} call
   * @param {unknown} value any JSON
   * @returns {Promise<Envelope>}
   */
  async seal(kind, call, value) {
    if (this.#sealed >= this.#limit) {
      throw new WaypostError("key_worn_out", "This page has encrypted as much as one key allows: open a new session.");
    }
    this.#sealed++;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const text = padded(toJson(value) ?? "null");
    const sealed = await crypto.subtle.encrypt(this.#parameters(nonce, kind, call), await this.#key(kind), text);
    return { $waypost: FORMAT, n: toBase64url(nonce), c: toBase64url(new Uint8Array(sealed)) };
  }

  /**
   * Decrypts a message that was encrypted as this kind, for this call of this session.
   * @param {Kind} kind
   * @param {Call} call
   * @param {unknown} envelope
   * @returns {Promise<any>} rejects with `DecryptionError`
   */
  async open(kind, call, envelope) {
    try {
      if (!isEnvelope(envelope) || envelope.$waypost !== FORMAT) throw new TypeError("This is no envelope.");
      const [nonce, sealed] = [fromBase64url(envelope.n), fromBase64url(envelope.c)];
      if (nonce?.length !== NONCE_BYTES || !sealed) throw new TypeError("This is not base64url.");
      const text = await crypto.subtle.decrypt(this.#parameters(nonce, kind, call), await this.#key(kind), sealed);
      return JSON.parse(new TextDecoder().decode(text));
    } catch (error) {
      const message = `The ${kind} can't be decrypted: it was changed on the way, or encrypted with another key.`;
      throw new DecryptionError("decryption_failed", message, { cause: error });
    }
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} nonce
   * @param {Kind} kind
   * @param {Call} call
   */
  #parameters(nonce, kind, { id, tool }) {
    const bound = JSON.stringify([FORMAT, kind, this.#code, id, tool]);
    return { name: "AES-GCM", iv: nonce, additionalData: new TextEncoder().encode(bound), tagLength: 128 };
  }

  /** @param {Kind} kind */
  #key(kind) {
    const direction = kind === "request" ? "request" : "answer";
    return (this.#keys[direction] ??= this.#derive(direction));
  }

  /** @param {string} direction */
  async #derive(direction) {
    const encoder = new TextEncoder();
    const secret = await crypto.subtle.importKey("raw", this.#secret, "HKDF", false, ["deriveKey"]);
    const info = encoder.encode(`waypost e2e v1 ${direction}`);
    const derivation = { name: "HKDF", hash: "SHA-256", salt: encoder.encode(this.#code), info };
    return crypto.subtle.deriveKey(derivation, secret, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  }
}

/** Pads with spaces: white space after JSON is ignored, so nothing has to be removed. @param {string} json */
function padded(json) {
  const text = new TextEncoder().encode(json);
  const bytes = new Uint8Array(Math.ceil(text.length / PADDING_BYTES) * PADDING_BYTES).fill(0x20);
  bytes.set(text);
  return bytes;
}

function assertCanEncrypt() {
  if (canEncrypt()) return;
  const message = "This page can't encrypt: browsers allow that over HTTPS and on localhost only.";
  throw new WaypostError("encryption_unavailable", message);
}
