/** Every error this client throws, so that "the tool said no" is never mistaken for "the network did". */

/** The base of them all. `code` is a stable word to branch on; `message` is for people. */
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

/** The server refused: it replied with a problem document (or with something else that is no success). */
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
    /** How long the server asked to be left alone; 0 if it did not say. */
    this.retryAfterMs = retryAfterMs;
    /** The whole problem document. */
    this.problem = problem;
  }

  /** Whether the session is gone, or not ours: nothing sent again can help. */
  get isFinal() {
    return [401, 403, 404, 410].includes(this.status);
  }
}

/** There was no reply that could be read: whether the server did what was asked is not known. */
export class TransportError extends WaypostError {
  /**
   * @param {string} message
   * @param {ErrorOptions} [options]
   */
  constructor(message, options) {
    super("transport", message, options);
  }
}

/** The tool answered, with an error. */
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
    /** Whether it is proven that the tab said so. Only an encrypted session can; the server's own word never is. */
    this.authenticated = authenticated;
  }
}

/**
 * What came is not what the other end of an encrypted session has sent: it was changed on the way, sent in the clear, or
 * encrypted with another key. Whether the tool ran is not known.
 */
export class DecryptionError extends WaypostError {}

/** No answer in the time given. The request is still open: the same call with this `id` waits for it again. */
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

/**
 * Whether the same request may succeed later.
 * @param {unknown} error
 */
export function isTransient(error) {
  if (error instanceof TransportError) return true;
  return error instanceof ApiError && (error.status >= 500 || [408, 425, 429].includes(error.status));
}

/**
 * How long the server asked to be left alone.
 * @param {unknown} error
 */
export function retryAfterMs(error) {
  return error instanceof ApiError ? error.retryAfterMs : 0;
}
