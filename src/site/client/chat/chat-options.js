/** The types of what a chat is asked for. */

/**
 * @typedef {object} ChatOptions
 * @property {string} threadId
 * @property {string} [resourceId] whose thread it is; by default the thread's own id
 * @property {string} [agent]
 * @property {string} [appKey] where the server asks for one
 * @property {string} [sessionId] if known from a list of threads: saves a look-up before reading the history
 * @property {string} [baseUrl] the server; by default the one this module came from
 */

/**
 * @typedef {object} SendOptions
 * @property {string} [messageId] makes sending idempotent: the same id is stored once
 * @property {boolean} [replace] asks the message `messageId` again, with this text: it and all that follows it are replaced. If
 *   the model fails before its first word, they are as they were
 * @property {boolean} [interrupt] stop a running answer instead of being refused with `answer_running`
 * @property {Record<string, string>} [metadata] replaces the thread's metadata
 * @property {{ code: string } | { token: string }} [session] of a tab whose tools the model may call, as a guest does: its
 *   code, or a guest's token
 * @property {AbortSignal} [signal] stops listening; the answer continues on the server and is stored (`stop()` stops it)
 */

/**
 * @typedef {object} HistoryQuery
 * @property {number} [limit] how many messages at most; more if the oldest of them belong together
 * @property {string} [before] only messages before this one: the `before` of the page that was read last
 * @property {AbortSignal} [signal]
 */

export {};
