import { beforeEach, describe, expect, it } from 'vitest';

import { Attempt } from '../../../src/engine/attempt/attempt.ts';
import { clientCancelled } from '../../../src/engine/port/failures.ts';
import { entryOf } from '../../support/engine-harness.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { after, answer, END, headers, output, SILENCE, terminal } from '../../support/upstream-scripts.ts';
import { AttemptBench, LIMITS } from './attempt-bench.ts';

let bench: AttemptBench;

beforeEach(() => {
  bench = new AttemptBench();
});

describe('a caller that does not read', () => {
  it('pauses the upstream and the timer of progress until it reads again', async () => {
    bench.taken.wantsMore = false;
    const { attempt, ended, end } = bench.start([
      after(10, output('a')),
      after(10, output('b')),
      after(29_000, terminal()),
      after(0, END),
    ]);
    await bench.runtime.advance(50_010);
    expect(attempt.isPaused).toBe(true);
    expect(end()).toBeUndefined();
    expect(bench.taken.texts).toEqual(['a']);
    bench.taken.wantsMore = true;
    bench.taken.resume?.();
    expect(bench.taken.texts).toEqual(['a', 'b']);
    expect(attempt.isPaused).toBe(false);
    expect(await ended()).toBe(`stop at ${50_010 + 29_000}`);
    expect(bench.upstream.notes.map(({ what, atMs }) => `${what} at ${atMs}`)).toEqual([
      'open at 0',
      'pause at 10',
      'resume at 50010',
      'release at 79010',
    ]);
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it('has the timer of progress run again from when it reads', async () => {
    bench.taken.wantsMore = false;
    const { ended } = bench.start([after(10, output('a'))]);
    await bench.runtime.advance(40_000);
    bench.taken.resume?.();
    expect(await ended()).toBe('silence at 70000');
  });

  it('ends the attempt after the client stall, which is no fault of the provider', async () => {
    bench.taken.wantsMore = false;
    const { ended } = bench.start([after(10, output('a'))]);
    expect(await ended()).toBe('slow_reader at 60010');
    expect(bench.lastNote).toBe('abort at 60010');
    expect(bench.runtime.pendingTimers()).toBe(0);
    bench.taken.resume?.();
    expect(bench.lastNote).toBe('abort at 60010');
  });

  it('is asked once, though the upstream gives what it had in its hands', async () => {
    bench.taken.wantsMore = false;
    bench.upstream.script('a', SILENCE);
    const prepared = bench.upstream.prepare(entryOf('a'));
    let give: ((text: string) => void) | undefined;
    const attempt = new Attempt<string, string>(
      bench.runtime,
      { ...prepared, open: (sink) => ((give = (text) => sink(output(text))), prepared.open(sink)) },
      LIMITS,
      bench.taken,
    );
    void attempt.start();
    for (const text of ['a', 'b', 'c']) give?.(text);
    expect(bench.taken.texts).toEqual(['a', 'b', 'c']);
    expect(bench.upstream.notes.filter(({ what }) => what === 'pause')).toHaveLength(1);
    attempt.stop(clientCancelled());
    expect(bench.runtime.pendingTimers()).toBe(0);
  });
});

describe('a stop from outside', () => {
  const whole: Script = [after(10, headers()), after(10, output('a')), after(10, terminal()), after(10, END)];

  it.each([
    ['before headers', 5, 'CONNECTING'],
    ['behind the gate', 15, 'GATED'],
    ['in the flow', 25, 'FLOWING'],
    ['in the tail', 35, 'TAIL'],
  ])('%s closes the connection in the same turn', async (_where, atMs, phase) => {
    const { attempt, end } = bench.start(whole);
    await bench.runtime.advance(atMs);
    attempt.stop(clientCancelled());
    expect(bench.lastNote).toBe(`abort at ${atMs}`);
    expect(attempt.phase).toBe(phase);
    expect(bench.runtime.pendingTimers()).toBe(0);
    await bench.runtime.settle();
    expect(end()).toMatchObject({ ok: false, failure: { class: 'client_cancel' } });
  });

  it.each([
    ['output', whole],
    ['terminal marker', [after(10, terminal()), after(10, END)]],
  ])(
    'by whoever hears of the commit, with the first %s, is the end: nothing is delivered any more',
    async (_what, script) => {
      const { attempt, end } = bench.start(script);
      bench.taken.onCommit = () => {
        attempt.stop(clientCancelled());
      };
      await bench.runtime.advance(1_000);
      expect(bench.taken.texts).toEqual([]);
      expect(end()).toMatchObject({ failure: { class: 'client_cancel' } });
      expect(bench.runtime.pendingTimers()).toBe(0);
    },
  );

  it('by whoever takes the output leaves no timer behind, though it wants no more', async () => {
    bench.taken.wantsMore = false;
    const { attempt, end } = bench.start(whole);
    bench.taken.onDeliver = () => {
      attempt.stop(clientCancelled());
    };
    await bench.runtime.advance(1_000);
    expect(end()).toMatchObject({ failure: { class: 'client_cancel' } });
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it('after the end changes nothing', async () => {
    const { attempt, ended, end } = bench.start(answer(10, 'a'));
    expect(await ended()).toBe('stop at 10');
    attempt.stop(clientCancelled());
    expect(end()).toMatchObject({ ok: true });
    expect(bench.lastNote).toBe('release at 10');
  });
});

describe('a fault of ours', () => {
  it('in opening the call ends the attempt', async () => {
    bench.upstream.throwOnOpen('a', new Error('no head'));
    const { ended, end } = bench.start(SILENCE);
    await bench.runtime.settle();
    expect(await ended()).toBe('internal at 0');
    expect(end()).toMatchObject({ failure: { reason: 'INTERNAL', cause: new Error('no head') } });
    expect(bench.runtime.pendingTimers()).toBe(0);
  });

  it('in taking the output ends the attempt and closes the connection', async () => {
    bench.taken.onDeliver = () => {
      throw new Error('no room');
    };
    const { ended } = bench.start(answer(10, 'a'));
    expect(await ended()).toBe('internal at 10');
    expect(bench.upstream.openCalls()).toBe(0);
    expect(bench.runtime.pendingTimers()).toBe(0);
  });
});
