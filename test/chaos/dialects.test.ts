import { describe, expect, test } from 'vitest';

import type { ChaosDialect } from '../support/chaos-dialects.ts';
import { DIALECTS } from '../support/chaos-dialects.ts';
import { OTHER } from '../support/chaos-stage.ts';
import type { ChaosStage } from '../support/chaos-stage.ts';
import type { ChaosStep, ChaosUpstream } from '../support/chaos-upstream.ts';
import { chunk, head, lastChunk } from '../support/chaos-upstream.ts';
import { chaosUpstream, chatTarget, gatewayFor } from '../support/failover-stage.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import { slicer } from '../support/toxics.ts';
import { askIn, WAYS } from '../support/ways.ts';

const TEXT = 'Zoë, 東京, 🎭: fin.';
const PIECES = ['Zoë, ', '東京, ', '🎭: ', 'fin.'];
const COUNTED = { inputTokens: 9, outputTokens: 3 };
const UNTIL_GONE: ChaosStep = { do: 'await_close' };

interface DialectStage extends Pick<ChaosStage, 'gateway' | 'second'> {
  readonly lead: ChaosUpstream;
  /** Answers the next request with these events, then does as told. */
  script(events: readonly string[], ...last: readonly ChaosStep[]): void;
}

async function dialectStage({ target, path, contentType }: ChaosDialect): Promise<DialectStage> {
  const [lead, second] = [await chaosUpstream(), await chaosUpstream()];
  second.script(...goodAnswer(true, OTHER));
  const timeouts = { first_output: '60s', progress: '60s' };
  const gateway = await gatewayFor({
    targets: [
      chatTarget('lead', lead.origin, { base_url: `${lead.origin}${path}`, timeouts, ...target }),
      chatTarget('second', second.origin, { model: 'model-2' }),
    ],
  });
  const start = head(200, { 'content-type': contentType, 'transfer-encoding': 'chunked' });
  return { lead, second, gateway, script: (events, ...rest) => lead.script(start, ...events.map(chunk), ...rest) };
}

describe.each(DIALECTS)('$name', (dialect) => {
  const { startup, say, end, error, malformed } = dialect;
  const said = PIECES.map(say);

  describe.each(WAYS)('%s', (way) => {
    test.each([
      {
        name: 'an error as the first event',
        events: [error],
        last: UNTIL_GONE,
        outcome: 'PROVIDER_UNAVAILABLE',
        calls: 2,
      },
      {
        name: 'an error behind the startup',
        events: [startup, error],
        last: UNTIL_GONE,
        outcome: 'PROVIDER_UNAVAILABLE',
        calls: 2,
      },
      {
        name: 'a malformed event',
        events: [startup, malformed],
        last: UNTIL_GONE,
        outcome: 'PROVIDER_PROTOCOL_ERROR',
        calls: 1,
      },
      {
        name: 'an end without an end marker',
        events: [startup],
        last: lastChunk,
        outcome: 'PROVIDER_UNAVAILABLE',
        calls: 2,
      },
      { name: 'an empty body', events: [], last: lastChunk, outcome: 'PROVIDER_PROTOCOL_ERROR', calls: 1 },
    ])('before the first words, $name: the second target answers', async ({ events, last, outcome, calls }) => {
      const { lead, gateway, script } = await dialectStage(dialect);
      for (let count = 0; count < calls; count += 1) script(events, last);
      const { trail, delivered } = await askIn(gateway, way);
      const again = calls === 2 ? [`RETRY lead ${outcome}`] : [];
      expect(trail).toEqual([`FIRST lead ${outcome}`, ...again, 'FAILOVER second OK']);
      expect(delivered).toBe(OTHER);
      expect(lead.requestCount).toBe(calls);
    });

    test.each([
      { name: 'an error', events: [...said, error], last: UNTIL_GONE },
      { name: 'a malformed event', events: [...said, malformed], last: UNTIL_GONE },
      { name: 'a reset', events: said, last: { do: 'reset' } as const },
      { name: 'an end without an end marker', events: said, last: lastChunk },
    ])('after all words but before the end marker, $name: whole or explicitly broken', async ({ events, last }) => {
      const { gateway, script } = await dialectStage(dialect);
      script([startup, ...events], last);
      const { error: told, delivered, text } = await askIn(gateway, way);
      if (way === 'StreamChat') {
        expect([told?.code, told?.reason, delivered]).toEqual(['ABORTED', 'STREAM_INTERRUPTED', TEXT]);
      } else {
        expect([told, text]).toEqual([undefined, OTHER]);
      }
    });

    test.each([
      { name: 'a reset', last: { do: 'reset' } as const },
      { name: 'garbage', last: chunk(malformed) },
      { name: 'an error', last: chunk(error) },
    ])('behind the end marker $name takes nothing back', async ({ last }) => {
      const { gateway, script } = await dialectStage(dialect);
      script([startup, ...said, end], last, UNTIL_GONE);
      const { trail, delivered, answer } = await askIn(gateway, way);
      expect([trail, delivered]).toEqual([['FIRST lead OK'], TEXT]);
      expect(answer?.usage).toMatchObject(COUNTED);
    });

    test('single bytes are read to the last', async () => {
      const { lead, gateway } = await dialectStage(dialect);
      const body = [startup, ...said, end].join('');
      const start = head(200, { 'content-type': dialect.contentType, connection: 'close' });
      lead.script(start, ...slicer(1)([{ do: 'send', bytes: body }]), { do: 'end' });
      const { trail, delivered, answer } = await askIn(gateway, way);
      expect([trail, delivered]).toEqual([['FIRST lead OK'], TEXT]);
      expect(answer?.usage).toMatchObject(COUNTED);
    });
  });
});
