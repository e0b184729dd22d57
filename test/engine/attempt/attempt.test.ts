import { beforeEach, describe, expect, it } from 'vitest';

import { Attempt } from '../../../src/engine/attempt/attempt.ts';
import { entryOf } from '../../support/engine-harness.ts';
import {
  after,
  END,
  failure,
  headers,
  keepAlives,
  output,
  SILENCE,
  startup,
  terminal,
  usage,
} from '../../support/upstream-scripts.ts';
import { AttemptBench, LIMITS } from './attempt-bench.ts';

let bench: AttemptBench;

beforeEach(() => {
  bench = new AttemptBench();
});

describe('an answer', () => {
  it('is delivered in order, commits once, and releases its connection', async () => {
    const { attempt, ended } = bench.start([
      after(20, headers()),
      after(30, startup('model-2026')),
      after(50, output('a')),
      after(5, output('b')),
      after(5, terminal()),
      after(1, usage({ outputTokens: 2 })),
      after(1, END),
    ]);
    expect(await ended()).toBe('stop at 112');
    expect(bench.taken).toMatchObject({ committedAt: [100], texts: ['a', 'b'] });
    expect(attempt).toMatchObject({
      firstOutputMs: 100,
      outputBytes: 2,
      httpStatus: 200,
      reportedModel: 'model-2026',
      phase: 'TAIL',
      usage: { outputTokens: 2 },
    });
    expect(bench.lastNote).toBe('release at 112');
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it('may be empty: the terminal marker alone is an output', async () => {
    const { attempt, ended } = bench.start([after(10, headers()), after(10, terminal()), after(0, END)]);
    expect(await ended()).toBe('stop at 20');
    expect(attempt).toMatchObject({ firstOutputMs: 20, outputBytes: 0 });
    expect(bench.taken.committedAt).toEqual([20]);
  });

  it('waits 2 s for usage behind the terminal marker, and 50 ms for the end behind usage', async () => {
    expect(await bench.start([after(10, output('a')), after(0, terminal())]).ended()).toBe('stop at 2010');
    expect(bench.lastNote).toBe('release at 2010');
    const second = bench.start([after(10, output('a')), after(0, terminal()), after(700, usage({ outputTokens: 1 }))]);
    expect(await second.ended()).toBe(`stop at ${2_010 + 10 + 700 + 50}`);
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it('is complete with its terminal marker, whatever breaks behind it', async () => {
    const broken = bench.start([after(10, terminal()), after(5, { type: 'error', failure: failure('reset') })]);
    expect(await broken.ended()).toBe('stop at 15');
  });

  it('is truncated without its terminal marker, however whole its text looks', async () => {
    const cut = bench.start([after(10, headers()), after(0, output('All is said.')), after(0, END)]);
    expect(await cut.ended()).toBe('reset at 10');
    expect(bench.lastNote).toBe('abort at 10');
  });

  it('ends in its tail at the deadline, as a success', async () => {
    const { ended } = bench.start([after(10, output('a')), after(0, terminal())], { deadlineAtMs: 500 });
    expect(await ended()).toBe('stop at 500');
  });
});

describe('the timer of the first output', () => {
  it('starts with the attempt and ends it as the silence of the provider', async () => {
    expect(await bench.start(SILENCE).ended()).toBe('silence at 12000');
    expect(bench.lastNote).toBe('abort at 12000');
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it('keepalive-never-extends-first-output: headers and startup events do not count', async () => {
    const { attempt, ended } = bench.start(keepAlives(1_000));
    expect(await ended()).toBe('silence at 12000');
    expect(attempt.phase).toBe('GATED');
    expect(bench.taken.committedAt).toEqual([]);
  });

  it('is bounded by the slice; a slice too short to blame the provider cuts the attempt short', async () => {
    expect(await bench.start(SILENCE, { sliceMs: 5_000 }).ended()).toBe('cut_short at 5000');
    expect(await bench.start(SILENCE, { sliceMs: 5_000, blameAfterMs: 5_000 }).ended()).toBe('silence at 10000');
  });

  it('is bounded by the deadline, with the same rule of blame', async () => {
    const early = bench.start(SILENCE, { deadlineAtMs: 3_000 });
    expect(await early.ended()).toBe('cut_short at 3000');
    expect(early.end()).toMatchObject({ failure: { reason: 'DEADLINE' } });
    expect(await bench.start(SILENCE, { deadlineAtMs: 9_000, blameAfterMs: 6_000 }).ended()).toBe('silence at 9000');
  });

  it('blames by the limit, not by a clock that may be a moment behind its timer', async () => {
    bench.upstream.script('a', SILENCE);
    const early = {
      ...bench.runtime,
      setTimer: (ms: number, fire: () => void) => bench.runtime.setTimer(ms - 0.5, fire),
    };
    const attempt = new Attempt(early, bench.upstream.prepare(entryOf('a')), LIMITS, bench.taken);
    const end = attempt.start();
    await bench.runtime.advance(12_000);
    expect(await end).toMatchObject({ failure: { class: 'silence' } });
  });

  it('is over with the first output, even in the last moment', async () => {
    const { ended } = bench.start([after(11_999, output('a')), after(20_000, terminal()), after(0, END)]);
    expect(await ended()).toBe('stop at 31999');
  });
});

describe('the timer of progress', () => {
  it('ends an answer that has stopped growing, and restarts with every output', async () => {
    const { ended } = bench.start([after(10, output('a')), after(29_000, output('b')), after(29_000, output('c'))]);
    expect(await ended()).toBe('silence at 88010');
    expect(bench.lastNote).toBe('abort at 88010');
  });

  it('is not restarted by bytes that are no output', async () => {
    const { ended } = bench.start([after(10, output('a')), ...keepAlives(1_000)]);
    expect(await ended()).toBe('silence at 30010');
  });

  it('does not outlast the deadline', async () => {
    const { ended, end } = bench.start([after(10, output('a'))], { deadlineAtMs: 20_000 });
    expect(await ended()).toBe('cut_short at 20000');
    expect(end()).toMatchObject({ failure: { reason: 'DEADLINE' } });
    const busy = bench.start(
      Array.from({ length: 100 }, () => after(1_000, output('x'))),
      { deadlineAtMs: 70_500 },
    );
    expect(await busy.ended()).toBe('cut_short at 70500');
  });
});
