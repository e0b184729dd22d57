import { describe, expect, test } from 'vitest';

import { FinishReason } from '../../gen/understudy/v1/chat_pb.ts';
import { UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import { chaosStage, USAGE, WHOLE } from '../support/chaos-stage.ts';
import { ODD_SHAPES } from '../support/odd-shapes.ts';
import { ODD_STREAMS } from '../support/odd-streams.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

describe.each(WAYS)('%s: a stream is read to its last character in spite of', REAL_TIME, (way) => {
  test.each([...ODD_STREAMS, ...ODD_SHAPES])(
    '$name',
    async ({ steps, text = WHOLE, usage = USAGE, reason = 'STOP' }) => {
      const { lead, second, gateway, leadHealth } = await chaosStage({
        timeouts: { first_output: '5s', progress: '1s' },
      });
      lead.script(...steps);
      const { delivered, trail, answer } = await askIn(gateway, way);
      expect(trail).toEqual(['FIRST lead OK']);
      expect(delivered).toBe(text);
      expect(answer?.finishReason).toBe(FinishReason[reason]);
      const { inputTokens, outputTokens, totalTokens } = answer?.usage ?? {};
      const told = answer?.usage?.source === UsageSource.REPORTED ? { inputTokens, outputTokens, totalTokens } : {};
      expect(told).toEqual(usage);
      expect([lead.requestCount, second.requestCount]).toEqual([1, 0]);
      expect((await leadHealth()).failures).toBe(0n);
      expect(Reflect.get({}, 'error')).toBeUndefined();
    },
  );
});
