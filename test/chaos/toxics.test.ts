import { describe, expect, test } from 'vitest';

import { ANSWERED, chaosStage, OTHER, WHOLE } from '../support/chaos-stage.ts';
import type { Toxic } from '../support/toxics.ts';
import { bandwidth, latency, limitData, resetPeer, slicer, slowClose, timeout } from '../support/toxics.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

const HARMLESS: readonly { readonly name: string; readonly toxic: Toxic }[] = [
  { name: 'latency with jitter', toxic: latency(10, 10) },
  { name: 'a narrow band', toxic: bandwidth(150) },
  { name: 'single bytes', toxic: slicer(1) },
  { name: 'a close that comes late', toxic: (steps) => slowClose(200)([...steps, { do: 'end' }]) },
  { name: 'all of them', toxic: (steps) => latency(1, 1)(slicer(97)(steps)) },
];

const MORTAL: readonly {
  readonly name: string;
  readonly toxic: Toxic;
  readonly outcome: string;
  readonly calls: number;
}[] = [
  { name: 'nothing gets through, for ever', toxic: timeout(0), outcome: 'PROVIDER_TIMEOUT', calls: 1 },
  {
    name: 'nothing gets through, and the connection is closed',
    toxic: timeout(60),
    outcome: 'PROVIDER_UNAVAILABLE',
    calls: 2,
  },
  { name: 'a reset comes first', toxic: resetPeer(60), outcome: 'PROVIDER_UNAVAILABLE', calls: 2 },
  {
    name: 'the connection is closed within the headers',
    toxic: limitData(20),
    outcome: 'PROVIDER_UNAVAILABLE',
    calls: 2,
  },
  {
    name: 'the connection is closed within the first event',
    toxic: limitData(200),
    outcome: 'PROVIDER_UNAVAILABLE',
    calls: 2,
  },
];

describe.each(WAYS)('%s through a network in which', REAL_TIME, (way) => {
  test.each(HARMLESS)('there is $name: the answer is whole', async ({ toxic }) => {
    const { lead, gateway } = await chaosStage({ timeouts: { first_output: '60s', progress: '60s' } });
    lead.script(...toxic(ANSWERED));
    const { trail, delivered } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
  });

  test.each(MORTAL)('$name: the second target answers', async ({ toxic, outcome, calls }) => {
    const { lead, gateway } = await chaosStage({ timeouts: { first_output: '1s', progress: '1s' } });
    for (let count = 0; count < calls; count += 1) lead.script(...toxic(ANSWERED));
    const { trail, delivered } = await askIn(gateway, way);
    const again = calls === 2 ? [`RETRY lead ${outcome}`] : [];
    expect([trail, delivered]).toEqual([[`FIRST lead ${outcome}`, ...again, 'FAILOVER second OK'], OTHER]);
    expect(lead.requestCount).toBe(calls);
  });

  test('the lead is down: the second target answers', async () => {
    const { lead, gateway } = await chaosStage();
    await lead.close();
    const { trail, delivered, attempts } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'RETRY lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
    expect([delivered, attempts[0]?.providerCode, attempts[0]?.cost?.nanoUsd]).toEqual([OTHER, 'ECONNREFUSED', 0n]);
  });

  test.each(Array.from({ length: 12 }, (_, index) => ({ limit: 380 + index * 97 })))(
    'the connection is closed after $limit bytes: the answer is whole, or explicitly broken and true so far',
    async ({ limit }) => {
      const { lead, gateway } = await chaosStage();
      lead.script(...limitData(limit)(ANSWERED));
      lead.script(...limitData(limit)(ANSWERED));
      const { text, delivered, error, answer } = await askIn(gateway, way);
      if (error !== undefined) {
        expect([way, error.code, error.reason]).toEqual(['StreamChat', 'ABORTED', 'STREAM_INTERRUPTED']);
        expect(WHOLE.startsWith(delivered)).toBe(true);
        expect(delivered).not.toBe('');
      } else {
        expect(text).toBe(answer?.target === 'lead' ? WHOLE : OTHER);
      }
    },
  );
});
