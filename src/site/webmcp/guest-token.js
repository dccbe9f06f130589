/** A token for an MCP client, where the deployment requires one besides the code (`REQUIRE_TOKEN`). */

import { copies, el } from "../console/shared/dom.js";

/** @typedef {import("../client/session/session.js").Session} Session */

export class GuestToken {
  /** Gets a token, then copies it. */
  button = el("button", { type: "button" }, "Get a token");

  /** @param {Session} session */
  constructor(session) {
    const get = async () => {
      this.button.disabled = true;
      try {
        const { data } = await session.http.json("POST", `/api/sessions/${session.code}/join`, { body: {} });
        this.button.removeEventListener("click", get);
        this.button.textContent = "Copy token";
        copies(this.button, () => data.guestToken);
      } catch (error) {
        this.button.textContent = `No token. ${error instanceof Error ? error.message : error}`;
      } finally {
        this.button.disabled = false;
      }
    };
    this.button.addEventListener("click", get);
  }
}
