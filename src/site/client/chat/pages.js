/** The generated pages of a session. Each expires a day after it was last put, and has an address that can be shared. */

import { Http } from "../transport/http.js";
import { newId } from "../ids.js";
import { ownOrigin } from "../server.js";

/**
 * @typedef {object} PageInfo
 * @property {string} intentId
 * @property {string} title
 * @property {string} etag
 * @property {number} size bytes
 * @property {string} updatedAt
 * @property {string} expiresAt
 */

export class Pages {
  #http;

  /**
   * @param {string} sessionId of the thread or conversation that owns them
   * @param {{ baseUrl?: string }} [options]
   */
  constructor(sessionId, { baseUrl = ownOrigin() } = {}) {
    this.sessionId = sessionId;
    this.#http = new Http(baseUrl);
  }

  /** @returns {Promise<PageInfo[]>} */
  async list() {
    return (await this.#http.json("GET", `/api/sessions/${encodeURIComponent(this.sessionId)}/pages`)).data.pages;
  }

  /**
   * Stores a page, or a new version of it.
   * @param {{ html: string, title?: string, intentId?: string }} page
   * @returns {Promise<PageInfo & { url: string }>}
   */
  async put({ html, title, intentId = newId() }) {
    const body = { html, title, sessionId: this.sessionId };
    return (await this.#http.json("PUT", `/api/pages/${encodeURIComponent(intentId)}`, { body })).data;
  }

  /** @param {string} intentId */
  async delete(intentId) {
    const query = { sessionId: this.sessionId };
    await this.#http.json("DELETE", `/api/pages/${encodeURIComponent(intentId)}`, { query });
  }

  /** The address at which the page is shown, in a sandbox. @param {string} intentId */
  url(intentId) {
    return new URL(`/pages/${encodeURIComponent(intentId)}`, this.#http.baseUrl).href;
  }
}
