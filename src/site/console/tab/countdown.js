/** The session's remaining time, counted down, and when it was last extended. */

import { byId } from "../shared/dom.js";
import { clockTime, timeLeft } from "../shared/format.js";

export class Countdown {
  #expiresMs = 0;
  #fullMs = 1;
  #connected = false;
  #renewedAt = "";

  constructor() {
    setInterval(() => this.#draw(), 1000);
  }

  /** Shows the time of another session. @param {Date} expiresAt */
  begin(expiresAt) {
    this.hide();
    this.show(expiresAt);
  }

  /** @param {Date} expiresAt */
  show(expiresAt) {
    const ms = expiresAt.getTime();
    const isNew = byId("life").hidden;
    if (isNew) this.#renewedAt = "";
    else if (ms > this.#expiresMs + 1000) this.#renewedAt = clockTime(new Date());
    // A full bar is the longest time seen: the server does not say by how much it extends.
    if (isNew || ms > this.#expiresMs) this.#fullMs = Math.max(1, ms - Date.now());
    this.#expiresMs = ms;
    byId("life").hidden = false;
    this.#draw();
  }

  hide() {
    byId("life").hidden = true;
  }

  /** @param {boolean} connected */
  isConnected(connected) {
    this.#connected = connected;
    this.#draw();
  }

  #draw() {
    if (byId("life").hidden) return;
    const left = Math.max(0, this.#expiresMs - Date.now());
    byId("life-left").textContent = `${timeLeft(left)} left`;
    byId("life-fill").style.setProperty("--part", `${Math.min(1, left / this.#fullMs)}`);
    const note = this.#connected ? "extended while this tab is open" : "not extended while this tab is offline";
    byId("life-note").textContent = this.#renewedAt && this.#connected ? `extended at ${this.#renewedAt}, ${note}` : note;
  }
}
