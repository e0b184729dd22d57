import { describe, expect, test } from 'vitest';

import type { ClassRule, FailureClass } from '../../src/core/failure.ts';
import { CLASS_RULES, REASON_STATUS } from '../../src/core/failure.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../src/engine/port/config.ts';
import {
  afterCommit,
  clientCancelled,
  cutShort,
  heldUp,
  internalFault,
  shuttingDown,
  silence,
  slowReader,
  truncated,
} from '../../src/engine/port/failures.ts';
import { attemptTiming } from '../../src/engine/route/timing.ts';
import { backoffCeilingMs } from '../../src/engine/policy/backoff.ts';
import { ResponseTimes } from '../../src/engine/target/response-times.ts';
import { providerFailure } from '../../src/providers/shared/provider-failure.ts';
import { MISMATCH } from '../../src/structured-output/answer-form.ts';
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';

const PAGE = readFromRoot('docs/engine-rules.md');

describe('the table of classes', () => {
  const rows = tableBelow(PAGE, '## Classes of failures');
  const classes = Object.entries(CLASS_RULES) as [FailureClass, ClassRule][];

  test('has the classes of the engine in their order, with their numbers', () => {
    const numbered = classes.map(([name], index) => `${name === 'mismatch' ? '' : `C${index + 1}`} \`${name}\``);
    expect(rows.map(([number, name]) => `${number} ${name}`)).toEqual(numbered);
  });

  test.each(classes)('tells what the engine does after %s', (name, rule) => {
    const [, , , same, next, later, verdict, suspended] = rowOf(name);
    expect({ same, next, later, verdict, suspended }).toEqual({
      same: repeated(name, rule),
      next: rule.nextTarget,
      later: typeof rule.laterRounds === 'string' ? rule.laterRounds : rule.laterRounds ? 'yes' : 'no',
      verdict: rule.verdict,
      suspended: rule.suspendMs === undefined ? '' : duration(rule.suspendMs),
    });
  });

  test('tells the status of every reason that it names', () => {
    const told = rows.flatMap((cells) => reasonsOf(cells));
    expect(told.length).toBeGreaterThanOrEqual(classes.length);
    for (const [reason, status] of told) expect(REASON_STATUS, reason).toMatchObject({ [reason]: status });
  });

  test('names the reason that a failure of the class has', () => {
    const requests = ['bad_request', 'capability', 'content', 'not_found'] as const;
    const providers = ['overload', 'rate_limit', 'quota', 'auth', 'conflict', 'protocol'] as const;
    const own = [silence(), cutShort(), heldUp(), clientCancelled(), slowReader(), truncated(), shuttingDown()];
    const failures = [...requests, ...providers]
      .map((name) => providerFailure(name))
      .concat(own, internalFault(undefined), afterCommit(truncated()), MISMATCH);
    for (const failure of failures) {
      expect(reasonsOf(rowOf(failure.class)).map(([reason]) => reason)).toContain(failure.reason);
    }
  });

  function rowOf(name: FailureClass): readonly string[] {
    return rows.find(([, cell]) => cell === `\`${name}\``) ?? [];
  }

  function reasonsOf(cells: readonly string[]): (readonly [reason: string, status: string])[] {
    return [...(cells[8] ?? '').matchAll(/`([A-Z_]+)`: ([A-Z_]+)/g)].map(([, reason = '', status = '']) => [
      reason,
      status,
    ]);
  }

  function repeated(name: FailureClass, { sameTarget }: ClassRule): string {
    const firstMs = backoffCeilingMs(name, 0, DEFAULT_ENGINE_CONFIG.retry.backoffMs);
    const words = {
      never: 'no',
      at_once: 'at once',
      backoff: `after up to ${duration(firstMs)}`,
      retry_after: 'as Retry-After allows',
    } as const satisfies Record<ClassRule['sameTarget'], string>;
    return words[sameTarget];
  }
});

describe('the table of timers', () => {
  const rows = tableBelow(PAGE, '## Timers');
  const FACTS = {
    streams: true,
    silence: 'short',
    ownHost: true,
    usesToolsOrReasoning: false,
    maxTokens: 100,
    promptTokens: 0,
  } as const;
  const usual = attemptTiming(FACTS);
  const silent = attemptTiming({ ...FACTS, silence: 'behind_signs', usesToolsOrReasoning: true });

  test('has a row for each', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(figures()));
  });

  test.each(Object.entries(figures()))('tells what the engine does: %s', (name, expected) => {
    const [, told = ''] = rows.find(([cell]) => cell === name) ?? [];
    for (const figure of expected) expect(told).toContain(figure);
  });

  function figures(): Readonly<Record<string, readonly string[]>> {
    return {
      'connect + TLS': connectLimits(),
      'first output': [
        `from ${samplesUntilAdapted()} samples`,
        `${(limitMs(30, 5_000) / percentileMs(30, 5_000)).toFixed(2).replace('.00', '')} times their 95th percentile`,
        `${duration(limitMs(30, 10))} at least`,
        `${duration(limitMs(30, 3_000_000))} at most`,
        'without them the figures [below](#without-samples)',
        `Plus ${duration(attemptTiming({ ...FACTS, promptTokens: 10_000 }).promptMs)} for every 10,000`,
        `The last available target gets at least ${duration(new ResponseTimes(() => 0).limitMs(usual, true))}`,
      ],
      answer: [
        `${duration(usual.answerMs / 10)} for every 10 tokens`,
        (attemptTiming({ ...FACTS, maxTokens: undefined }).answerMs / 100).toLocaleString('en'),
      ],
      progress: [`${duration(usual.progressMs)};`, `${duration(silent.progressMs)} for`],
      'client stall': [duration(DEFAULT_ENGINE_CONFIG.clientStallMs)],
      total: [
        `${duration(DEFAULT_ENGINE_CONFIG.defaultTimeoutMs)} where`,
        `${duration(DEFAULT_ENGINE_CONFIG.maxTimeoutMs)} at most`,
      ],
    };
  }

  test('tells what counts without samples, by what has come', () => {
    const told = tableBelow(PAGE, '### Without samples').map(([, ...figures]) => figures);
    const kinds = [
      {},
      { silence: 'unknown', ownHost: false },
      { silence: 'behind_signs' },
      { silence: 'without_head' },
    ] as const;
    const limits = kinds.map((kind) => attemptTiming({ ...FACTS, ...kind }));
    expect(told).toEqual(
      limits.map(({ noHeadMs = 0, headAloneMs = 0, firstOutputMs }) =>
        [noHeadMs, headAloneMs, firstOutputMs].map(duration),
      ),
    );
    const long = attemptTiming({ ...FACTS, silence: 'unknown', ownHost: false, promptTokens: 10_000 });
    const slowlyMs = (long.headAloneMs ?? 0) - (limits[1]?.headAloneMs ?? 0) + long.promptMs;
    expect(PAGE).toContain(`${duration(slowlyMs / 10)} for every 1,000 tokens of the prompt`);
    const whole = (['short', 'without_head'] as const).map((silence) =>
      attemptTiming({ ...FACTS, silence, streams: false }),
    );
    expect(PAGE).toContain(
      `one limit: ${whole.map(({ firstOutputMs }) => duration(firstOutputMs)).join(', or ')} where`,
    );
  });

  /** The limit of a target that has answered so often, each time after so many milliseconds. */
  function limitMs(samples: number, eachMs: number): number {
    return Math.round(timesOf(samples, eachMs).limitMs(usual, false));
  }

  function percentileMs(samples: number, eachMs: number): number {
    return Math.round(timesOf(samples, eachMs).p95Ms(true) ?? 0);
  }

  function timesOf(samples: number, eachMs: number): ResponseTimes {
    const times = new ResponseTimes(() => 0);
    for (let sample = 0; sample < samples; sample++) times.add(true, eachMs);
    return times;
  }

  function samplesUntilAdapted(): number {
    let samples = 0;
    while (limitMs(samples, 5_000) === usual.firstOutputMs) samples++;
    return samples;
  }

  /** Sockets are the only ones to ask otherwise, and they would have to be waited for. */
  function connectLimits(): readonly string[] {
    const source = readFromRoot('src/upstream/network/undici-transport.ts');
    const [, loopback = '', remote = ''] = /LOOPBACK\.test\(hostname\) \? ([\d_]+) : ([\d_]+)/.exec(source) ?? [];
    return [duration(figure(remote)), `${duration(figure(loopback))} to loopback`];
  }
});

function figure(text: string): number {
  return Number(text.replaceAll('_', ''));
}

/** Writes milliseconds as the page does. */
function duration(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toLocaleString('en')} s`;
}
