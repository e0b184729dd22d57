/** How long a stream may say nothing, in milliseconds; it says something every second. */
const SILENCE_MS = 6_000;
/** How long it takes until a stream is opened again that the browser has given up, in milliseconds. */
const AGAIN_MS = 1_500;

/**
 * What the gateway shows, by key.
 *
 * @typedef {ReadonlyMap<string, unknown>} Sections
 */

/**
 * Follows the gateway while the page is in sight. A stream that ends, or says nothing, is opened anew; the first event of each has all.
 *
 * @param {object} told
 * @param {(sections: Sections, changed: ReadonlySet<string>, nowMs: number) => void} told.changed
 * @param {(isLive: boolean) => void} told.linked - once a second, too
 */
export function follow({ changed, linked }) {
  /** @type {Map<string, unknown>} */
  const sections = new Map();
  /** @type {EventSource | undefined} */
  let stream;
  let isFirst = true;
  let heardAtMs = -Infinity;
  let openedAtMs = 0;

  const open = () => {
    stream?.close();
    isFirst = true;
    openedAtMs = performance.now();
    stream = new EventSource('status');
    stream.addEventListener('open', () => {
      isFirst = true;
    });
    stream.addEventListener('message', ({ data }) => {
      heardAtMs = performance.now();
      const { nowMs, set, gone } = JSON.parse(data);
      const keys = new Set([...Object.keys(set), ...gone]);
      if (isFirst) {
        for (const key of sections.keys()) keys.add(key);
        sections.clear();
        isFirst = false;
      }
      for (const [key, section] of Object.entries(set)) sections.set(key, section);
      for (const key of gone) sections.delete(key);
      changed(sections, keys, nowMs);
      linked(true);
    });
    stream.addEventListener('error', () => {
      heardAtMs = -Infinity;
      linked(false);
    });
  };

  const look = () => {
    if (document.hidden) return;
    const nowMs = performance.now();
    const isLive = nowMs - heardAtMs < SILENCE_MS;
    linked(isLive);
    const patienceMs = stream?.readyState === EventSource.CLOSED ? AGAIN_MS : SILENCE_MS;
    if (!isLive && nowMs - openedAtMs > patienceMs) open();
  };

  // A browser allows six connections to an address: pages that nobody sees take none.
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) stream?.close();
    else open();
  });
  setInterval(look, 1_000);
  open();
}
