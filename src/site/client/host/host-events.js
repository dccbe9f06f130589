/** What a host tells: the types of its events. */

/** @typedef {import("./approvals.js").Decision} Decision */
/** @typedef {import("../storage/request-store.js").AnswerError} AnswerError */
/** @typedef {import("../transport/event-stream.js").StreamState} StreamState */

/** @typedef {{ id: string, tool: string, args: any, replay: boolean, repeat: boolean }} RequestDetail */
/**
 * `final` false: progress. `repeat`: the first answer, given again.
 * @typedef {{ id: string, tool?: string, result?: unknown, error?: AnswerError, final: boolean, durationMs?: number,
 *   repeat?: boolean }} ResponseDetail
 */
/**
 * @typedef {object} HostEvents
 * @property {StreamState} state
 * @property {RequestDetail} request a request has come; `replay`: one that was sent before; `repeat`: it is not run again
 * @property {ResponseDetail} response an answer or progress was given (not yet: delivered)
 * @property {{ id: string }} delivered the server has acknowledged the answer
 * @property {{ id: string }} cancel the guest has taken a request back
 * @property {{ id: string, tool: string, decision: Decision }} approval somebody has decided on a call
 * @property {any} session the session changed, was extended
 * @property {{ reason: string, after?: string, producer?: string, seq?: number }} gap messages were missed
 * @property {{ error: unknown }} error something failed; unless it says otherwise, it will be tried again
 */

export {};
