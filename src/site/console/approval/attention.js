/** Calls the person, who may look elsewhere: the window's title, its icon, the app's badge, and notifications if they are wanted. */

import { el, toast } from "../shared/dom.js";
import { keep, recall } from "../shared/storage.js";
import { tellWaiting } from "../views.js";

const WISH = "waypost.notify";

/** Characters of a notification's text: systems cut it off somewhere. */
const MAX_BODY = 200;

const ICON = "/console/icon.svg";
const ICON_WAITING = "/console/icon-waiting.svg";

/** Whether this browser may show notifications of this page: only over HTTPS and on localhost. */
function canNotify() {
  return isSecureContext && "Notification" in globalThis;
}

export class Attention {
  #button;
  #focus;
  /** @type {Notification | null} */
  #notification = null;
  #canSend = true;

  /** @param {HTMLElement} button turns notifications on and off @param {() => void} focus brings the person to what waits */
  constructor(button, focus) {
    this.#button = button;
    this.#focus = focus;
    button.addEventListener("click", () => this.#toggle());
    this.#showButton();
  }

  /** @param {number} count of what waits @param {string} [news] what has just come, in a sentence */
  show(count, news) {
    tellWaiting(count);
    showIcon(count > 0 ? ICON_WAITING : ICON);
    // Rejected where the page is not an installed app.
    if (count > 0) navigator.setAppBadge?.(count).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
    if (news !== undefined) this.#notify(news);
    if (count === 0) this.#close();
  }

  get #isWanted() {
    return canNotify() && Notification.permission === "granted" && recall("localStorage", WISH) === "yes";
  }

  /** @param {string} news */
  #notify(news) {
    if (!this.#isWanted || document.hasFocus()) return;
    this.#send(news);
  }

  /** @param {string} news */
  #send(news) {
    this.#close();
    try {
      const notification = new Notification("Waypost is waiting for you", { body: news.slice(0, MAX_BODY), icon: ICON, tag: "waypost" });
      notification.addEventListener("click", () => {
        window.focus();
        notification.close();
        this.#focus();
      });
      this.#notification = notification;
    } catch {
      // Chrome on Android shows those of service workers only.
      this.#canSend = false;
      this.#showButton();
      toast("This browser shows notifications of installed apps only.");
    }
  }

  #close() {
    this.#notification?.close();
    this.#notification = null;
  }

  async #toggle() {
    const isOn = this.#isWanted;
    keep("localStorage", WISH, isOn ? "no" : "yes");
    if (!isOn && Notification.permission === "default") await Notification.requestPermission();
    this.#showButton();
    // The person sees how it looks, or that it does not work here.
    if (!isOn && this.#isWanted) this.#send("What waits for you is shown like this.");
  }

  #showButton() {
    this.#button.hidden = !canNotify() || !this.#canSend;
    if (this.#button.hidden) return;
    const isBlocked = Notification.permission === "denied";
    this.#button.toggleAttribute("disabled", isBlocked);
    this.#button.setAttribute("aria-pressed", `${this.#isWanted}`);
    this.#button.textContent = isBlocked ? "Notifications are blocked" : this.#isWanted ? "Notifications on" : "Notify me";
  }
}

/** The window's icon. A new element: browsers overlook a changed address. @param {string} href */
function showIcon(href) {
  const shown = document.querySelector('link[rel="icon"]');
  if (shown?.getAttribute("href") === href) return;
  shown?.replaceWith(el("link", { rel: "icon", href, type: "image/svg+xml" }));
}
