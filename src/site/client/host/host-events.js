/** The types of a host's events. */

/** @typedef {import("./approvals.js").Decision} Decision */
/** @typedef {import("../storage/request-store.js").AnswerError} AnswerError */
/** @typedef {import("../transport/event-stream.js").StreamState} StreamState */

/** @typedef {{ id: string, tool: string, args: any, replay: boolean, repeat: boolean }} RequestDetail */
/**
 * `final` false: a progress report. `repeat`: the first answer, sent again.
 * @typedef {{ id: string, tool?: string, result?: unknown, error?: AnswerError, final: boolean, durationMs?: number,
 *   repeat?: boolean }} ResponseDetail
 */
/**
 * @typedef {object} HostEvents
 * @property {StreamState} state
 * @property {RequestDetail} request a request arrived; `replay`: it was sent before; `repeat`: it does not run again
 * @property {ResponseDetail} response an answer or a progress report was produced, but not yet delivered
 * @property {{ id: string }} delivered the server has acknowledged the answer
 * @property {{ id: string }} cancel the guest has cancelled a request
 * @property {{ id: string, tool: string, decision: Decision }} approval a call was allowed or refused
 * @property {any} session the session changed, for example it was extended
 * @property {{ reason: string, after?: string, producer?: string, seq?: number }} gap messages were missed
 * @property {{ error: unknown }} error something failed; it is retried unless the error says otherwise
 */

export {};
