/**
 * A parser of Server-Sent Events, exactly as the standard defines them:
 * https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
 * `EventSource` itself can't send an Authorization header, and a token in a URL ends up in logs.
 */

/** @typedef {{ type: string, data: string, lastEventId: string }} SseEvent */

const CR = 13;
const LF = 10;

/** The parser of one stream. Feed it chunks cut anywhere; it returns the events that they complete. */
export class SseParser {
  /** The value to send as Last-Event-ID when reconnecting. */
  lastEventId = "";
  /** The reconnection time that the server asked for; null if none. @type {number | null} */
  retryMs = null;

  // The BOM is removed by hand, since decoders differ on one that arrives in pieces.
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #atStart = true;
  #afterCr = false;
  #rest = "";
  #type = "";
  #id = "";
  /** @type {string[]} */
  #data = [];

  /**
   * @param {Uint8Array} chunk
   * @returns {SseEvent[]}
   */
  feed(chunk) {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === "") return [];
    if (this.#atStart && text.startsWith("\uFEFF")) text = text.slice(1);
    this.#atStart = false;
    /** @type {SseEvent[]} */
    const events = [];
    this.#split(text, events);
    return events;
  }

  /**
   * A line ends at CR immediately. Waiting to see whether LF follows could delay an event until the next heartbeat.
   * @param {string} text
   * @param {SseEvent[]} events
   */
  #split(text, events) {
    let start = 0;
    if (this.#afterCr && text !== "") {
      if (text.charCodeAt(0) === LF) start = 1;
      this.#afterCr = false;
    }
    for (let at = start; at < text.length; at++) {
      const char = text.charCodeAt(at);
      if (char !== CR && char !== LF) continue;
      this.#line(this.#rest + text.slice(start, at), events);
      this.#rest = "";
      if (char === CR && at + 1 === text.length) this.#afterCr = true;
      else if (char === CR && text.charCodeAt(at + 1) === LF) at++;
      start = at + 1;
    }
    this.#rest += text.slice(start);
  }

  /**
   * @param {string} line
   * @param {SseEvent[]} events
   */
  #line(line, events) {
    if (line === "") return this.#dispatch(events);
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.#data.push(value);
    else if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.retryMs = Number(value);
  }

  /** @param {SseEvent[]} events */
  #dispatch(events) {
    this.lastEventId = this.#id;
    if (this.#data.length > 0) {
      events.push({ type: this.#type || "message", data: this.#data.join("\n"), lastEventId: this.#id });
    }
    this.#data = [];
    this.#type = "";
  }
}
