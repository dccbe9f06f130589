/** Why a session has ended, in words. */

/** @param {import("../../waypost.js").StreamState} end */
export function endText({ reason, error }) {
  if (reason === "ended" || reason === "session_ended") return "This session has ended.";
  if (reason === "expired" || reason === "session_not_found") return "This session has expired.";
  return `This session is over: ${error?.message ?? reason}`;
}
