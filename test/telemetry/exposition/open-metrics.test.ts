import { describe, expect, test } from 'vitest';

import { openMetricsText } from '../../../src/telemetry/exposition/open-metrics.ts';
import { createMetrics } from '../../../src/telemetry/metering/metrics.ts';
import { engineLoad, failedEnd, healthyTarget, okAttempt, okEnd } from '../ends.ts';

const TRACE = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  isSampled: true,
  attemptSpanIds: [],
  attempt: () => [],
};

function tracedEnd() {
  const attempts = [{ ...okAttempt(), spanId: 'c'.repeat(16) }];
  return okEnd({ trace: TRACE, attempts, endedAtWallMs: 1_795_305_600_123 });
}

describe('OpenMetrics', () => {
  test('has counters without _total in their families, escaped texts, and an end', () => {
    const text = openMetricsText([
      {
        name: 'calls_total',
        help: 'Calls\nof "all".',
        type: 'counter',
        values: [{ value: 3, labels: { m: 'a"\\\nb' } }],
      },
      { name: 'share', help: 'Share.', type: 'gauge', values: [{ value: Infinity, labels: {} }] },
    ]);
    expect(text).toBe(
      [
        '# TYPE calls counter',
        '# HELP calls Calls\\nof \\"all\\".',
        'calls_total{m="a\\"\\\\\\nb"} 3',
        '# TYPE share gauge',
        '# HELP share Share.',
        'share +Inf',
        '# EOF',
        '',
      ].join('\n'),
    );
  });

  test('has the span of the last sampled call in each bucket, and of the last attempt', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.callEnded(tracedEnd());
    metrics.callEnded(okEnd());
    const { body } = await metrics.render([], undefined, true);
    const exemplars = body.split('\n').filter((line) => line.includes(' # {'));
    expect(exemplars).toHaveLength(4);
    const duration = exemplars.find((line) => line.startsWith('gen_ai_client_operation_duration_seconds_bucket'));
    expect(duration).toMatch(/,gen_ai_request_model="gpt-6.1-sol",understudy_target="azure-eu"\} 2 # \{/);
    expect(duration).toContain(
      `# {trace_id="${'a'.repeat(32)}",span_id="${'b'.repeat(16)}"} 1.600123456 1795305600.123`,
    );
    const attempt = exemplars.find((line) => line.startsWith('understudy_attempt_duration_seconds_bucket'));
    expect(attempt).toContain(`span_id="${'c'.repeat(16)}"} 1.5 1.500`);
  });

  test('changes nothing of the text of Prometheus, which has no exemplars', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.callEnded(tracedEnd());
    const before = await metrics.render([healthyTarget()], engineLoad());
    await metrics.render([healthyTarget()], engineLoad(), true);
    expect(await metrics.render([healthyTarget()], engineLoad())).toEqual(before);
    expect(before.body).toContain('understudy_calls_total{');
    expect(before.body).not.toContain('trace_id');
  });

  test('has the same samples as the text of Prometheus', async () => {
    const metrics = createMetrics({ processMetrics: false, version: '1.2.3' });
    metrics.callEnded(tracedEnd());
    metrics.callEnded(failedEnd());
    const samples = (body: string): readonly string[] =>
      body
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => line.replace(/ # \{.*/, ''))
        .sort();
    const text = await metrics.render([healthyTarget()], engineLoad());
    const open = await metrics.render([healthyTarget()], engineLoad(), true);
    expect(samples(open.body)).toEqual(samples(text.body));
  });
});
