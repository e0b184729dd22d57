import { open } from 'node:fs/promises';

import { describe, expect, test } from 'vitest';

import type { CallReport } from '../../../src/telemetry/report/call-report.ts';
import { createMetrics } from '../../../src/telemetry/metering/metrics.ts';
import { failedAttempt, failedEnd, okAttempt, okEnd } from '../ends.ts';
import { parseExposition, valueOf } from '../exposition.ts';
import { createBareMetrics, record, scrape } from '../scrape.ts';

const AZURE = { target: 'azure-eu', provider: 'azure-openai', model: 'gpt-6.1-sol' };

describe('the registry', () => {
  test('belongs to one instance', async () => {
    const first = createBareMetrics();
    first.callEnded(okEnd());
    const second = createBareMetrics();
    expect(valueOf(await scrape(second), 'understudy_calls_total', { method: 'StreamChat', status: 'OK' })).toBe(0);
  });

  test('has the process, its event loop and the version where asked for', async () => {
    const metrics = createMetrics({ version: '1.2.3' });
    const { contentType, body } = await metrics.render([]);
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(body).toContain('understudy_build_info{version="1.2.3"} 1');
    expect(body).toContain('\nnodejs_eventloop_lag_p99_seconds ');
    expect(body).toContain('\nprocess_cpu_seconds_total ');
    expect((await createBareMetrics().render([])).body).not.toContain('nodejs_');
  });

  test.runIf(process.platform === 'linux')('tells how many files are open', async () => {
    const metrics = createMetrics({});
    const opened = async (): Promise<number> =>
      valueOf(parseExposition((await metrics.render([])).body), 'process_open_fds') ?? 0;
    const before = await opened();
    const files = await Promise.all(Array.from({ length: 50 }, () => open('/dev/null')));
    const during = await opened();
    await Promise.all(files.map((file) => file.close()));
    expect(before).toBeGreaterThan(3);
    expect(during - before).toBeGreaterThanOrEqual(40);
  });

  test('does not grow with what callers invent', async () => {
    const metrics = createBareMetrics();
    const inventive = (index: number): CallReport => {
      const { entry } = okAttempt().record;
      const model = `invented-${index}`;
      const attempt = okAttempt({
        entry: { ...entry, model, circuit: 'other', modelNamedByCaller: true },
        reportedModel: model,
        providerRequestId: model,
      });
      return okEnd({
        requestId: model,
        labels: { [model]: model },
        requestedModel: model,
        serving: { target: entry.target, provider: entry.provider, model },
        attempts: [attempt],
      });
    };
    metrics.callEnded(inventive(0));
    const { samples: before } = await scrape(metrics);
    for (let index = 1; index < 500; index++) metrics.callEnded(inventive(index));
    const { body } = await metrics.render([]);
    expect(parseExposition(body).samples).toHaveLength(before.length);
    expect(body).not.toContain('invented');
  });

  test('escapes odd names', async () => {
    const model = 'a "quoted" \\ model\nunderstudy_fake_total 1';
    const { entry } = okAttempt().record;
    const scraped = await record(okEnd({ attempts: [okAttempt({ entry: { ...entry, model, circuit: model } })] }));
    const labels = { ...AZURE, model, kind: 'FIRST', outcome: 'OK' };
    expect(valueOf(scraped, 'understudy_attempts_total', labels)).toBe(1);
    expect(scraped.samples.map(({ name }) => name)).not.toContain('understudy_fake_total');
  });

  test('shows nothing of what a failure, a label or an answer says', async () => {
    const secret = 'sk-planted-secret';
    const failure = { message: secret, cause: new Error(secret), providerCode: secret, field: secret };
    const metrics = createBareMetrics();
    metrics.callEnded(
      failedEnd({
        requestId: secret,
        labels: { [secret]: secret },
        requestedModel: secret,
        attempts: [failedAttempt(failure, { reportedModel: secret, providerRequestId: secret })],
      }),
    );
    expect((await metrics.render([])).body).not.toContain(secret);
  });

  test('survives figures that are none, and ends that are broken', async () => {
    const metrics = createBareMetrics();
    const usage = { inputTokens: Number.NaN, outputTokens: -1, reasoningTokens: Infinity };
    const figures = { durationMs: Number.NaN, firstOutputMs: -5, usage };
    metrics.callEnded(okEnd({ ...figures, attempts: [okAttempt(figures)] }));
    const scraped = await scrape(metrics);
    expect(valueOf(scraped, 'understudy_metrics_errors_total')).toBe(0);
    expect(valueOf(scraped, 'understudy_attempts_total', { ...AZURE, kind: 'FIRST', outcome: 'OK' })).toBe(1);
    expect(scraped.samples.map(({ name }) => name)).not.toContain('understudy_tokens_total');
    const broken = okEnd();
    Object.defineProperty(broken, 'attempts', {
      get: () => {
        throw new Error('broken');
      },
    });
    expect(() => {
      metrics.callEnded(broken);
    }).not.toThrow();
    expect(valueOf(await scrape(metrics), 'understudy_metrics_errors_total')).toBe(1);
  });
});
