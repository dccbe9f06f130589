/** The switch that lets the model call this tab's tools, and what there is to say about it. */

import { ApiError, WaypostError } from "../../waypost.js";
import { Http } from "../../client/transport/http.js";
import { byId } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";

const WISH = "waypost.chat.tools";
const TOKEN = "waypost.chat.token";

const ENCRYPTED = "Not in an encrypted session: the server would have to read the calls. Start one without encryption.";

/** @type {Partial<Record<import("../../waypost.js").StreamState["state"], string>>} */
const AWAY = {
  waiting: "This tab is reconnecting. Calls wait until it is back.",
  offline: "Your browser is offline. Calls wait until it is back.",
  superseded: "Another browser or program has taken this tab’s session over: the calls go there.",
  elsewhere: "This session is open in another tab of this browser: the calls go there.",
};

/** @typedef {{ code: string } | { token: string }} ToolSession what a message says to have the model use the tools */

export class TabTools {
  #tab;
  #box = /** @type {HTMLInputElement} */ (byId("use-tools"));

  /** @param {import("../tab/tab.js").Tab} tab @param {() => void} changed the switch was pressed */
  constructor(tab, changed) {
    this.#tab = tab;
    // Of this tab, not of the browser: it opens a session.
    this.#box.checked = recall("sessionStorage", WISH) === "yes";
    this.#box.addEventListener("change", () => {
      keep("sessionStorage", WISH, this.#box.checked ? "yes" : "no");
      this.start();
      changed();
    });
    tab.onChange = () => {
      this.#show();
      changed();
    };
    this.#show();
  }

  get isOn() {
    return this.#box.checked && !this.#tab.isEncrypted;
  }

  /** Opens or restores the tab's session, if the switch is on. */
  start() {
    if (this.isOn) this.#tab.start();
    this.#show();
  }

  /**
   * The session whose tools the model may call; undefined if the switch is off. Waits for the tab to be connected.
   * @returns {Promise<ToolSession | undefined>} rejects if the tab has no session
   */
  async session() {
    if (!this.isOn) return undefined;
    const session = await this.#tab.ready();
    if (!session) throw new WaypostError("no_session", "This tab could not open a session, so there are no tools to call. Try again, or switch them off.");
    // Encrypted in the meantime.
    if (!this.isOn) return undefined;
    const kept = JSON.parse(recall("sessionStorage", TOKEN) ?? "{}");
    return kept.code === session.code ? { token: kept.token } : { code: session.code };
  }

  /**
   * The same session by a guest's token, where the server asks for one besides the code (`REQUIRE_TOKEN`). It is kept for
   * a reload: a code may admit one guest only.
   * @param {unknown} refusal of a message that named `session`
   * @param {ToolSession | undefined} session
   * @returns {Promise<ToolSession | null>} null: that is not why it was refused
   */
  async join(refusal, session) {
    if (!(refusal instanceof ApiError) || refusal.code !== "token_required" || !session || !("code" in session)) return null;
    const { code } = session;
    const { guestToken: token } = await joined(code);
    keep("sessionStorage", TOKEN, JSON.stringify({ code, token }));
    return { token };
  }

  #show() {
    const { isEncrypted, state } = this.#tab;
    const note = byId("tools-note");
    this.#box.disabled = isEncrypted;
    const text = isEncrypted ? ENCRYPTED : (this.isOn && state && AWAY[state]) || "";
    note.hidden = text === "";
    note.textContent = text;
  }
}

/** @param {string} code @returns {Promise<{ guestToken: string }>} */
async function joined(code) {
  return (await new Http(location.origin).json("POST", `/api/sessions/${code}/join`, { body: {} })).data;
}
