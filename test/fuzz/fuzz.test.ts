import { describe, expect, test } from 'vitest';

import { loadRecordings } from '../support/recordings.ts';
import { hasEndMarker } from './end-marker.ts';
import { fuzz } from './fuzz.ts';

const recordings = loadRecordings();

describe.skipIf(recordings.length === 0)('mutated recordings (skipped without ../shared/fixtures)', () => {
  test('never throw, never pass the bounds, never end well without the marker of a good end: 5,000 cases', () => {
    const { findings, successes, failures, unchanged } = fuzz(recordings, 1, 5_000);
    expect(findings).toEqual([]);
    // Both ends happen, so that neither is taken for the other.
    expect(unchanged).toBeGreaterThan(100);
    expect(successes - unchanged).toBeGreaterThan(500);
    expect(failures).toBeGreaterThan(1_000);
  });

  test('have an end marker as long as they are whole', () => {
    const whole = recordings.filter(({ kind, expect: expected }) => kind !== 'error' && expected.done !== false);
    for (const recording of whole) {
      const body = Buffer.from(recording.body);
      const isBroken = expected(recording);
      expect(hasEndMarker(body, recording) || isBroken, recording.id).toBe(true);
    }
  });
});

function expected({ expect: { error } }: (typeof recordings)[number]): boolean {
  return error !== undefined && error !== null;
}
