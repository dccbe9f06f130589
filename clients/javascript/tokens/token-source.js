/** The token of an app's user: fetched when it is needed, and again before it expires or when the server refuses it. */

import { ApiError } from "../client/errors.js";

/** A token as `POST /api/tokens` issues it. @typedef {{ token: string, expiresAt?: string }} IssuedToken */

/**
 * An app token, or a function that fetches one from the app's own server, which has the app's key. What the function returns
 * with its `expiresAt` is kept until then; for a mere text it is called before each request.
 * @typedef {string | (() => string | IssuedToken | Promise<string | IssuedToken>)} Token
 */

/** A token is replaced so long before it expires, because clocks differ. */
const MARGIN_MS = 60_000;

export class TokenSource {
  #newest;
  /** @type {Promise<string | IssuedToken | undefined> | null} */
  #issued = null;

  /** @param {() => Token | undefined} newest what the app has said last */
  constructor(newest) {
    this.#newest = newest;
  }

  /** The token, or undefined where the app has said none. @returns {Promise<string | undefined>} */
  async get() {
    const known = await this.#issued;
    return known && isLasting(known) ? known.token : this.#renew();
  }

  /** Another token than this one, which the server has refused; undefined if the app has no other. @param {string | undefined} refused */
  async another(refused) {
    const token = await this.#renew();
    return token === refused ? undefined : token;
  }

  /**
   * Sends a request with the token, and once more with another one if the server refuses it.
   * @template Result
   * @param {(token: string | undefined) => Promise<Result>} send rejects with `ApiError` 401
   * @returns {Promise<Result>}
   */
  async with(send) {
    const token = await this.get();
    try {
      return await send(token);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      const other = await this.another(token);
      if (other === undefined) throw error;
      return send(other);
    }
  }

  async #renew() {
    const issued = this.#issue();
    this.#issued = issued;
    // One that could not be fetched is not kept.
    issued.catch(() => this.#issued === issued && (this.#issued = null));
    const known = await issued;
    return typeof known === "object" ? known.token : known;
  }

  async #issue() {
    const said = this.#newest();
    return typeof said === "function" ? said() : said;
  }
}

/** @param {string | IssuedToken} issued @returns {issued is IssuedToken} */
function isLasting(issued) {
  if (typeof issued === "string" || issued.expiresAt === undefined) return false;
  return Date.parse(issued.expiresAt) - Date.now() > MARGIN_MS;
}
