/** The errors that this client throws: a tool's error, a refusal by the server and a network failure differ by class. */

/** The base class. `code` is stable, for programs; `message` is for people. */
export class WaypostError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, options) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The server refused the request: its status is no success. Its body is usually a problem document (RFC 9457). */
export class ApiError extends WaypostError {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} message
   * @param {{ retryAfterMs?: number, problem?: Record<string, unknown> }} [more]
   */
  constructor(status, code, message, { retryAfterMs = 0, problem = {} } = {}) {
    super(code, message);
    this.status = status;
    /** The server's Retry-After in milliseconds; 0 if it sent none. */
    this.retryAfterMs = retryAfterMs;
    /** The whole problem document. */
    this.problem = problem;
  }

  /** Whether the session is gone or access is denied, so that sending again cannot help. */
  get isFinal() {
    return [401, 403, 404, 410].includes(this.status);
  }
}

/** No complete response arrived. It is unknown whether the server carried out the request. */
export class TransportError extends WaypostError {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super("transport", message, options);
  }
}

/** The tool answered with an error. */
export class ToolError extends WaypostError {
  /**
   * @param {string} code
   * @param {string} message
   * @param {unknown} [data]
   * @param {{ authenticated?: boolean }} [more]
   */
  constructor(code, message, data, { authenticated = false } = {}) {
    super(code, message);
    this.data = data;
    /** Whether encryption proves that the error comes from the tab; false in a session without encryption. */
    this.authenticated = authenticated;
  }
}

/**
 * A message of an encrypted session could not be authenticated: it was changed on the way, sent unencrypted, or encrypted
 * with another key. It is unknown whether the tool ran.
 */
export class DecryptionError extends WaypostError {}

/** No answer came within `timeout`. The request stays open: calling again with this `id` continues to wait. */
export class CallTimeout extends WaypostError {
  /**
   * @param {string} id
   * @param {number} timeoutMs
   */
  constructor(id, timeoutMs) {
    super("timeout", `No answer after ${timeoutMs / 1000} s.`);
    this.id = id;
  }
}

/** There is no server to use: none was named, and this code did not come from one. @param {string} [more] another way to name it */
export function noServer(more = "") {
  const message = `Which Waypost server? Say it: { baseUrl: "https://your-worker.example" }${more}.`;
  return new WaypostError("no_base_url", message);
}

/**
 * Whether the same request may succeed later.
 * @param {unknown} error
 */
export function isTransient(error) {
  if (error instanceof TransportError) return true;
  return error instanceof ApiError && (error.status >= 500 || [408, 425, 429].includes(error.status));
}

/**
 * The server's Retry-After in milliseconds; 0 if there is none.
 * @param {unknown} error
 */
export function retryAfterMs(error) {
  return error instanceof ApiError ? error.retryAfterMs : 0;
}

/**
 * How long waiting can't be cut short, in milliseconds: until the server's storage operations of today are there again. It
 * is 0 after every other error, where a page that comes into view may try sooner than Retry-After says.
 * @param {unknown} error
 */
export function fixedWaitMs(error) {
  return error instanceof ApiError && error.code === "daily_limit" ? error.retryAfterMs : 0;
}
