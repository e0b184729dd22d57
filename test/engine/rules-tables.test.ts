import { describe, expect, test } from 'vitest';

import type { ClassRule, FailureClass } from '../../src/core/failure.ts';
import { CLASS_RULES, REASON_STATUS } from '../../src/core/failure.ts';
import type { AttemptTiming } from '../../src/engine/port/call.ts';
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
import { visitCeilingMs } from '../../src/engine/policy/backoff.ts';
import { ResponseTimes } from '../../src/engine/target/times/response-times.ts';
import { providerFailure } from '../../src/providers/shared/provider-failure.ts';
import { MISMATCH } from '../../src/structured-output/answer-form.ts';
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';

const PAGE = readFromRoot('docs/engine-rules.md');
const FACTS = {
  streams: true,
  silence: 'short',
  ownHost: true,
  usesToolsOrReasoning: false,
  maxTokens: 100,
  promptTokens: 0,
} as const;

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
      same: repeated(rule),
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

  function repeated(rule: ClassRule): string {
    const firstMs = visitCeilingMs(rule, true, DEFAULT_ENGINE_CONFIG.retry.backoffMs);
    const words = {
      never: 'no',
      at_once: 'at once',
      backoff: `after up to ${duration(firstMs)}`,
      retry_after: 'as Retry-After allows',
    } as const satisfies Record<ClassRule['sameTarget'], string>;
    return words[rule.sameTarget];
  }
});

describe('the table of timers', () => {
  const rows = tableBelow(PAGE, '## Timers');
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
        'what was learnt (X6); without that the figures [below](#without-samples)',
        `Plus ${duration(attemptTiming({ ...FACTS, promptTokens: 10_000 }).promptMs)} for every 10,000`,
        `The last available target gets at least ${duration(new ResponseTimes(() => 0).limits(usual, true).firstOutputMs)}`,
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
    const whole = (['short', 'loaded'] as const).map((silence) => attemptTiming({ ...FACTS, silence, streams: false }));
    expect(PAGE).toContain(
      `one limit: ${whole.map(({ firstOutputMs }) => duration(firstOutputMs)).join(', or ')} where`,
    );
  });

  /** Sockets are the only ones to ask otherwise, and they would have to be waited for. */
  function connectLimits(): readonly string[] {
    const source = readFromRoot('src/upstream/network/undici-transport.ts');
    const [, loopback = '', remote = ''] = /LOOPBACK\.test\(hostname\) \? ([\d_]+) : ([\d_]+)/.exec(source) ?? [];
    return [duration(figure(remote)), `${duration(figure(loopback))} to loopback`];
  }
});

describe('the rule of what is learnt', () => {
  const [, text = ''] = /^- \*\*X6\*\* ((?:.+\n)(?: {2}.+\n)*)/m.exec(PAGE) ?? [];
  const told = text.replaceAll(/\s+/g, ' ');
  const plain = attemptTiming(FACTS);
  const thinking = attemptTiming({ ...FACTS, silence: 'behind_signs' });

  test('tells the figures of the engine', () => {
    let samples = 0;
    while (limitMs(plain, samples, 5_000) === plain.firstOutputMs) samples++;
    for (const figure of [
      `with ${samples} samples`,
      `${limitMs(plain, 30, 5_000) / 5_000} times the 95th percentile`,
      `${limitMs(plain, 30, 10) / 1_000} s, or ${limitMs(thinking, 30, 10) / 1_000} s where it may think`,
      `at most ${duration(limitMs(plain, 30, 50_000))}`,
      `or ${limitMs(plain, 30, 3_000_000) / 3_000_000} times the 95th`,
    ])
      expect(told).toContain(figure);
  });

  /** The limit of a target that has answered so often, each time after so many milliseconds. */
  function limitMs(timing: AttemptTiming, samples: number, eachMs: number): number {
    const times = new ResponseTimes(() => 0);
    for (let sample = 0; sample < samples; sample++) times.began(timing, eachMs);
    return times.limits(timing, false).firstOutputMs;
  }
});

function figure(text: string): number {
  return Number(text.replaceAll('_', ''));
}

/** Writes milliseconds as the page does. */
function duration(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${(ms / 1_000).toLocaleString('en')} s`;
}
