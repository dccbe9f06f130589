/** The types of what the open thread tells the page around it. */

/** @typedef {import("../../waypost.js").ChatEvent} ChatEvent */

/**
 * A message sent from this page. `begun`: its answer has started, and did not come to nothing.
 * @typedef {{ title?: string, begun: boolean }} SentMessage
 */

/**
 * Callbacks to the page around the view. `sent`: null if the message was sent elsewhere.
 * @typedef {object} ThreadEvents
 * @property {(start: Extract<ChatEvent, { type: "start" }>, sent: SentMessage | null) => void} started
 * @property {(sent: SentMessage | null) => void} ended
 * @property {() => void} replaced a question of this page was asked again
 * @property {() => void} undone the model failed, and nothing of the message is stored
 * @property {(isAnswering: boolean) => void} answering
 * @property {(sessionId: string | null) => void} session
 * @property {(error: unknown) => void} failed
 */

export {};
