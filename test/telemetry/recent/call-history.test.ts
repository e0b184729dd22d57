import { describe, expect, test } from 'vitest';

import { CallHistory } from '../../../src/telemetry/recent/call-history.ts';
import type { CallReport, EndedAttempt } from '../../../src/telemetry/report/call-report.ts';
import { callerOf, cents } from '../../support/caller-accounts.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';
import { failedAttempt, failedEnd, okAttempt, okEnd } from '../ends.ts';

const MINUTE_MS = 60_000;

function history(wallMs = Date.UTC(2026, 10, 30, 12)) {
  const runtime = createVirtualRuntime({ wallMs });
  const kept = new CallHistory(runtime, () => [{ per: 'day', nanoUsd: 250_000_000n }]);
  /** Ends a call as the engine and its door do: its attempts first. */
  const end = (report: CallReport): void => {
    for (const { record } of report.attempts) if (record.kind !== 'SKIPPED') kept.attemptEnded(record);
    kept.callEnded(report);
  };
  return { kept, end, advance: (ms: number) => runtime.advance(ms) };
}

const moved = (more: Partial<CallReport> = {}): CallReport =>
  okEnd({ attempts: [failedAttempt(), okAttempt({ number: 2, kind: 'FAILOVER' })], ...more });

describe('what is remembered of targets', () => {
  test('is how many attempts have ended of late, and what of them has failed', async () => {
    const { kept, end, advance } = history();
    end(moved());
    await advance(10_000);
    end(okEnd());
    expect(kept.calls()).toEqual({ lastMinute: 2, failedLastMinute: 0, lastHour: 2, failedLastHour: 0 });
    expect(kept.target('azure-eu')).toMatchObject({ lastMinute: 2, failedLastMinute: 0 });
    expect(kept.target('openai')).toMatchObject({ lastMinute: 1, failedLastMinute: 1 });
    await advance(MINUTE_MS);
    expect(kept.target('openai')).toMatchObject({ lastMinute: 0, failedLastMinute: 0 });
    expect(kept.target('openai').failedMinutes.slice(-2)).toEqual([1, 0]);
    await advance(60 * MINUTE_MS);
    expect(kept.calls().lastHour).toBe(0);
    expect(Math.max(...kept.target('openai').minutes)).toBe(0);
    expect(kept.target('nobody')).toMatchObject({ lastMinute: 0, costToday: { nanoUsd: 0, unknownAttempts: 0 } });
  });

  test('counts an attempt before its call has ended', () => {
    const { kept } = history();
    kept.attemptEnded(failedAttempt().record);
    expect(kept.target('openai').failedLastMinute).toBe(1);
    expect(kept.failures()).toMatchObject([{ target: 'openai', count: 1, endedCalls: 0, lastRequestId: '' }]);
  });

  test('has what today costs in UTC, and never takes what is unknown for nothing', async () => {
    const { kept, end, advance } = history(Date.UTC(2026, 10, 30, 23, 59));
    end(okEnd());
    end(okEnd({ attempts: [okAttempt({}, { source: 'UNKNOWN' })] }));
    expect(kept.target('azure-eu').costToday).toEqual({ nanoUsd: 1_500_000, unknownAttempts: 1 });
    expect(kept.countedSinceMs()).toBe(Date.UTC(2026, 10, 30, 23, 59));
    await advance(2 * MINUTE_MS);
    expect(kept.target('azure-eu').costToday).toEqual({ nanoUsd: 0, unknownAttempts: 0 });
    expect(kept.countedSinceMs()).toBe(Date.UTC(2026, 11, 1));
  });
});

describe('failures', () => {
  test('are told by target, reason, code and status, with an example and how many ended their calls', () => {
    const { kept, end } = history();
    end(moved({ requestId: 'moved-1' }));
    end(failedEnd({ requestId: 'failed-1', attempts: [failedAttempt()] }));
    end(failedEnd({ requestId: 'refused-1', attempts: [], outcome: { status: 'UNAVAILABLE', reason: 'OVERLOADED' } }));
    const [first, second, ...rest] = kept.failures();
    expect(first).toMatchObject({
      target: 'openai',
      reason: 'PROVIDER_RATE_LIMITED',
      code: 'rate_limit_exceeded',
      httpStatus: 429,
      count: 2,
      endedCalls: 1,
      isOurs: true,
      lastRequestId: 'failed-1',
    });
    expect(second).toMatchObject({ target: undefined, reason: 'OVERLOADED', count: 1, endedCalls: 1 });
    expect(rest).toEqual([]);
    expect(kept.calls()).toMatchObject({ lastMinute: 3, failedLastMinute: 2 });
  });

  test('are forgotten after an hour', async () => {
    const { kept, end, advance } = history();
    end(failedEnd());
    await advance(61 * MINUTE_MS);
    expect(kept.failures()).toEqual([]);
  });

  test('that callers have caused are told, but count as no trouble of ours', () => {
    const { kept, end } = history();
    const outcome = { status: 'RESOURCE_EXHAUSTED', reason: 'BUDGET_EXHAUSTED' } as const;
    for (let call = 0; call < 3_000; call++) end(failedEnd({ requestId: `refused-${call}`, attempts: [], outcome }));
    end(moved({ requestId: 'moved-1' }));
    expect(kept.failures()[0]).toMatchObject({ reason: 'BUDGET_EXHAUSTED', count: 3_000, isOurs: false });
    expect(kept.calls().failedLastMinute).toBe(0);
    expect(kept.troubled().map(({ requestId }) => requestId)).toEqual(['moved-1']);
    expect(kept.find('refused-2999')).toHaveLength(1);
  });

  test('are bounded, whatever codes a provider makes up', () => {
    const { kept, end } = history();
    for (let code = 0; code < 2_000; code++) {
      const attempts: EndedAttempt[] = [failedAttempt({ providerCode: `${code}-`.padEnd(1_000, 'x') })];
      end(failedEnd({ attempts }));
    }
    const failures = kept.failures();
    expect(failures.length).toBeLessThanOrEqual(500);
    expect(Math.max(...failures.map(({ code = '' }) => code.length))).toBe(64);
  });
});

describe('calls', () => {
  test('are found by their ids, also those that went well, until a thousand others of their kind have come', () => {
    const { kept, end } = history();
    end(okEnd({ requestId: 'good-1' }));
    end(moved({ requestId: 'moved-1' }));
    for (let call = 0; call < 999; call++) end(okEnd());
    expect(kept.find('good-1')).toMatchObject([{ status: 'OK', target: 'azure-eu', labels: { team: 'search' } }]);
    end(okEnd());
    expect(kept.find('good-1')).toEqual([]);
    const [call] = kept.find('moved-1');
    expect(call?.attempts).toMatchObject([
      {
        kind: 'FIRST',
        target: 'openai',
        outcome: 'PROVIDER_RATE_LIMITED',
        httpStatus: 429,
        code: 'rate_limit_exceeded',
      },
      { kind: 'FAILOVER', target: 'azure-eu', outcome: 'OK', nanoUsd: 1_500_000 },
    ]);
  });

  test('with the same id are all found, the last one first', async () => {
    const { kept, end, advance } = history();
    end(okEnd({ requestId: 'again' }));
    await advance(1_000);
    end(moved({ requestId: 'again' }));
    expect(kept.find('again').map(({ attempts }) => attempts.length)).toEqual([2, 1]);
  });

  test('hold no word of a provider, and nothing that is long', () => {
    const { kept, end } = history();
    const long = 'x'.repeat(100_000);
    end(
      failedEnd({
        requestId: 'long-1',
        requestedModel: long,
        labels: Object.fromEntries(Array.from({ length: 100 }, (_, label) => [`${label}${long}`, long])),
        attempts: Array.from({ length: 100 }, () =>
          failedAttempt({ message: 'their words' }, { providerRequestId: long }),
        ),
        skipsLeftOut: 3,
      }),
    );
    const [call] = kept.find('long-1');
    const text = JSON.stringify(call);
    expect(text).not.toContain('their words');
    expect(text.length).toBeLessThan(20_000);
    expect([call?.attempts.length, call?.attemptsLeftOut]).toEqual([24, 79]);
  });
});

describe('callers', () => {
  test('are told with what they do, spend, and have left', () => {
    const { kept, end } = history();
    const caller = callerOf('billing', { group: 'backend', budgets: [cents(100)] });
    end(okEnd({ caller }));
    end(failedEnd({ caller }));
    expect(kept.callers()).toMatchObject([
      { name: 'billing', group: 'backend', lastMinute: 2, failedLastMinute: 1, lastHour: 2 },
    ]);
    expect(kept.callers()[0]?.costToday.nanoUsd).toBeGreaterThan(0);
    expect(kept.budgets()).toEqual([
      {
        account: 'caller:billing',
        per: 'day',
        nanoUsd: 1_000_000_000,
        spentNanoUsd: 250_000_000,
        renewsAtMs: Date.UTC(2026, 11, 1),
      },
    ]);
  });

  test('are the five hundred that have called last', () => {
    const { kept, end } = history();
    for (let number = 0; number < 600; number++) end(okEnd({ caller: callerOf(`tenant:${number}`) }));
    end(okEnd({ caller: callerOf('tenant:150') }));
    const names = kept.callers().map(({ name }) => name);
    expect([names.length, names.includes('tenant:99'), names.includes('tenant:150')]).toEqual([500, false, true]);
  });
});
