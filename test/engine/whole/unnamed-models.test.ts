import { describe, expect, it } from 'vitest';

import type { ChainEntry } from '../../../src/engine/port/call.ts';
import type { EngineHarness } from '../../support/engine-harness.ts';
import { createEngineHarness, entryOf, trailOf } from '../../support/engine-harness.ts';
import type { Script } from '../../support/upstream-scripts.ts';
import { after, answer, END, fails, output, terminal } from '../../support/upstream-scripts.ts';

/** An entry whose model only its caller names. */
function named(model: string, target = 'a'): ChainEntry {
  return entryOf(target, { model, circuit: 'other', modelNamedByCaller: true });
}

/** An answer whose headers say that nothing is left of a limit. */
const USED_UP: Script = [
  after(10, {
    type: 'headers',
    status: 200,
    limits: [{ dimension: 'requests', limit: 10, remaining: 0, resetInMs: 50_000 }],
  }),
  after(0, output('the last')),
  after(0, terminal()),
  after(0, END),
];

async function failFiveTimes({ run, upstream }: EngineHarness, model: string): Promise<void> {
  upstream.always('a', fails('overload'));
  for (let count = 0; count < 5; count++) await run([named(model)]);
  upstream.always('a', answer(10, 'well'));
}

function stage(): EngineHarness {
  return createEngineHarness(['a', 'b'], { retry: { maxRepeats: 0 } });
}

describe('models that only callers name', () => {
  it('close no circuit of each other', async () => {
    const harness = stage();
    harness.upstream.always('b', answer(10, 'from b'));
    await failFiveTimes(harness, 'sick');
    expect(trailOf(await harness.run([named('sick'), 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    for (const model of ['one', 'two']) expect(trailOf(await harness.run([named(model)]))).toEqual(['FIRST a ok']);
    expect(trailOf(await harness.run(['a']))).toEqual(['FIRST a ok']);
  });

  it('are told by Health where their circuits are not as those of the others, which `other` stands for', async () => {
    const harness = stage();
    const { run, health, runtime } = harness;
    await failFiveTimes(harness, 'sick');
    expect(health('a')).toMatchObject({ available: false, circuit: 'OPEN' });
    expect(health('a').circuits).toEqual([{ model: 'sick', circuit: 'other', state: 'OPEN', reopensInMs: 5_000 }]);
    for (const model of ['one', 'two']) await run([named(model)]);
    expect(health('a')).toMatchObject({ available: true, circuit: 'OPEN' });
    expect(health('a').circuits).toMatchObject([
      { model: 'other', state: 'CLOSED' },
      { model: 'sick', circuit: 'other', state: 'OPEN' },
    ]);
    // Nobody asks for it any more: it says nothing of the target.
    await runtime.advance(60_000);
    expect(health('a')).toMatchObject({ available: true, circuit: 'CLOSED', circuits: [] });
  });

  it('probe for themselves alone', async () => {
    const harness = stage();
    await failFiveTimes(harness, 'sick');
    await harness.runtime.advance(30_000);
    expect(trailOf(await harness.run([named('one')]))).toEqual(['FIRST a ok']);
    expect(trailOf(await harness.run([named('sick')]))).toEqual(['PROBE a ok']);
    expect(trailOf(await harness.run([named('sick')]))).toEqual(['FIRST a ok']);
  });

  it('have rate limits of their own, as far as headers tell them', async () => {
    const { run, upstream } = stage();
    upstream.script('a', USED_UP);
    upstream.always('a', answer(10, 'well'));
    upstream.always('b', answer(10, 'from b'));
    await run([named('one')]);
    expect(trailOf(await run([named('one'), 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    expect(trailOf(await run([named('two'), 'b']))).toEqual(['FIRST a ok']);
  });

  it('have response times of their own', async () => {
    const { run, upstream } = stage();
    upstream.always('a', answer(4_000, 'slowly'));
    for (let count = 0; count < 20; count++) await run([named('slow')]);
    upstream.always('a', answer(10, 'from a'));
    upstream.always('b', answer(10, 'from b'));
    const [slow, other] = [
      await run(['b', named('slow')], { timeoutMs: 20_000 }),
      await run(['b', named('other')], { timeoutMs: 20_000 }),
    ];
    // Time is kept back for what the model behind is known to need, or 10 s where nothing is known.
    expect(slow.attempts[0]?.sliceMs).toBeGreaterThan(12_000);
    expect(other.attempts[0]?.sliceMs).toBeLessThan(11_000);
  });

  it('obey what an operator wants of `other`, and of one of them alone', async () => {
    const harness = stage();
    const { engine, health, run, upstream } = harness;
    upstream.always('a', answer(10, 'well'));
    await run([named('one')]);
    engine.force('a', 'OPEN', 'other');
    expect(trailOf(await run([named('one')]))).toEqual(['SKIPPED a local_refusal']);
    expect(trailOf(await run([named('new')]))).toEqual(['SKIPPED a local_refusal']);
    expect(health('a').circuits).toMatchObject([{ model: 'other', state: 'OPEN' }]);
    expect(trailOf(await run(['a']))).toEqual(['FIRST a ok']);
    engine.force('a', 'CLOSED', 'one');
    expect(trailOf(await run([named('one')]))).toEqual(['FIRST a ok']);
    expect(trailOf(await run([named('new')]))).toEqual(['SKIPPED a local_refusal']);
    expect([
      engine.hasCircuit('a', 'one'),
      engine.hasCircuit('a', 'never asked'),
      engine.hasCircuit('c', 'one'),
    ]).toEqual([true, false, false]);
    engine.reset('a');
    expect(trailOf(await run([named('new')]))).toEqual(['FIRST a ok']);
  });

  it('are no part of what outlives the engine', async () => {
    const harness = stage();
    await failFiveTimes(harness, 'sick');
    await harness.run(['a']);
    expect(harness.engine.snapshot()[0]?.circuits.map(({ circuit }) => circuit)).toEqual(['a-model']);
  });

  it('share one circuit where a hundred of them are sick', async () => {
    const harness = stage();
    const { run, upstream } = harness;
    upstream.always('a', fails('overload'));
    for (let index = 0; index < 100; index++) await run([named(`sick-${index}`)]);
    for (let count = 0; count < 5; count++) await run([named(`late-${count}`)]);
    upstream.always('a', answer(10, 'well'));
    upstream.always('b', answer(10, 'from b'));
    expect(trailOf(await run([named('one'), 'b']))).toEqual(['SKIPPED a local_refusal', 'FIRST b ok']);
    expect(trailOf(await run([named('sick-99')]))).toEqual(['FIRST a ok']);
  });
});
