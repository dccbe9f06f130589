/** What a component was given last, for what runs later than its rendering. */

import { useEffect, useRef } from "react";

/**
 * @template Value
 * @param {Value} value
 * @returns {{ readonly current: Value }}
 */
export function useLatest(value) {
  const latest = useRef(value);
  // Not while rendering: what was rendered may never be shown.
  useEffect(() => {
    latest.current = value;
  });
  return latest;
}
