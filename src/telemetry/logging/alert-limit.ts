/** The same alert is written once in so many milliseconds. */
const QUIET_MS = 60_000;

/** Most different alerts that are remembered; there are a few for each target. */
const MOST_KEYS = 1_000;

/**
 * Bounds alerts: the same one, by its key, is told once a minute, so that what every call meets makes no line for every call.
 *
 * @param now milliseconds of any clock
 * @returns asked before each alert: how many of its kind were held back since the last one; undefined where this one is, too
 */
export function createAlertLimit(now: () => number): (key: string) => number | undefined {
  const told = new Map<string, { atMs: number; heldBack: number }>();
  return (key) => {
    const last = told.get(key);
    if (last !== undefined && now() - last.atMs < QUIET_MS) {
      last.heldBack++;
      return undefined;
    }
    if (told.size >= MOST_KEYS) told.clear();
    told.set(key, { atMs: now(), heldBack: 0 });
    return last?.heldBack ?? 0;
  };
}
