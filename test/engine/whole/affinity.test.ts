import { describe, expect, it } from 'vitest';

import { createEngineHarness, entryOf, failureOf, successOf, trailOf } from '../../support/engine-harness.ts';
import { RecordingClient } from '../../support/recording-client.ts';
import { answer, fails } from '../../support/upstream-scripts.ts';

const AFFINITY = { key: 'conversation-7', wish: '' };

/** Two targets that answer; `a` fails once, so that the conversation is at `b`. */
async function atB() {
  const harness = createEngineHarness(['a', 'b', 'c'], { retry: { order: 'NEXT_FIRST' } });
  const { run, upstream } = harness;
  for (const target of ['a', 'b', 'c']) upstream.always(target, answer(50, `from ${target}`));
  upstream.script('a', fails('overload'));
  const first = successOf(await run(['a', 'b', 'c'], { affinity: AFFINITY }));
  expect(trailOf(first)).toEqual(['FIRST a overload', 'FAILOVER b ok']);
  expect(first.movedConversation).toBeUndefined();
  return harness;
}

describe('a conversation', () => {
  it('stays on the target that gave its last answer, when the first of the chain has long been well again', async () => {
    const { run, runtime } = await atB();
    for (let turn = 0; turn < 5; turn += 1) {
      await runtime.advance(600_000);
      const next = successOf(await run(['a', 'b', 'c'], { affinity: AFFINITY }));
      expect(trailOf(next)).toEqual(['FIRST b ok']);
      expect(next.movedConversation).toBeUndefined();
    }
    expect(trailOf(await run(['a', 'b', 'c']))).toEqual(['FIRST a ok']);
    expect(trailOf(await run(['a', 'b', 'c'], { affinity: { key: 'another', wish: '' } }))).toEqual(['FIRST a ok']);
  });

  it('that streams does so too', async () => {
    const { run, runtime } = await atB();
    const client = new RecordingClient(runtime);
    await run(['a', 'b', 'c'], { client, affinity: AFFINITY });
    expect(client.text).toBe('from b');
  });

  it('moves where its target fails, in the order of the chain, and is told why; there it stays', async () => {
    const { run, upstream } = await atB();
    upstream.script('b', fails('overload'));
    const next = successOf(await run(['a', 'b', 'c'], { affinity: AFFINITY }));
    expect(trailOf(next)).toEqual(['FIRST b overload', 'FAILOVER a ok']);
    expect(next.movedConversation).toEqual({ from: 'b', reason: 'PROVIDER_UNAVAILABLE' });
    expect(trailOf(await run(['c', 'b', 'a'], { affinity: AFFINITY }))).toEqual(['FIRST a ok']);
  });

  it('moves where its target is not available, which the trail tells as well', async () => {
    const { engine, run } = await atB();
    engine.force('b', 'OPEN');
    const next = successOf(await run(['a', 'b', 'c'], { affinity: AFFINITY }));
    expect(trailOf(next)).toEqual(['SKIPPED b local_refusal', 'FIRST a ok']);
    expect(next.movedConversation).toEqual({ from: 'b', reason: 'CIRCUIT_OPEN' });
  });

  it('moves without a reason where the request does not let its target answer', async () => {
    const { run } = await atB();
    const next = successOf(await run(['c', 'a'], { affinity: AFFINITY }));
    expect(trailOf(next)).toEqual(['FIRST c ok']);
    expect(next.movedConversation).toEqual({ from: 'b', reason: undefined });
  });

  it('is where its last answer came from, not where a request of it failed', async () => {
    const { run, upstream } = await atB();
    for (const target of ['a', 'b']) upstream.script(target, fails('bad_request'));
    expect(failureOf(await run(['b'], { affinity: AFFINITY })).reason).toBe('INVALID_REQUEST');
    expect(failureOf(await run(['a'], { affinity: AFFINITY })).reason).toBe('INVALID_REQUEST');
    expect(trailOf(await run(['a', 'b', 'c'], { affinity: AFFINITY }))).toEqual(['FIRST b ok']);
  });

  it('goes on with the model of its last answer where its target is in the chain twice', async () => {
    const { run, upstream } = createEngineHarness(['a', 'b']);
    upstream.always('a', answer(50, 'from a'));
    const [large, small] = [entryOf('a', { model: 'large' }), entryOf('a', { model: 'small' })];
    await run([small], { affinity: AFFINITY });
    const next = successOf(await run([large, small], { affinity: AFFINITY }));
    expect(next.serving.requestedModel).toBe('small');
    const other = successOf(await run([large], { affinity: AFFINITY }));
    expect(other.serving.requestedModel).toBe('large');
    expect(other.movedConversation).toBeUndefined();
  });
});

describe('a wish of the request', () => {
  const wishing = (wish: string) => ({ affinity: { key: 'conversation-7', wish } });

  it('that is new comes before the conversation, and is told as a move', async () => {
    const { run } = await atB();
    const next = successOf(await run(['c', 'b', 'a'], wishing('c')));
    expect(trailOf(next)).toEqual(['FIRST c ok']);
    expect(next.movedConversation).toEqual({ from: 'b', reason: undefined });
  });

  it('that is that of the last turn moves nothing', async () => {
    const { run, upstream } = await atB();
    upstream.script('c', fails('overload'));
    await run(['c', 'a', 'b'], wishing('c'));
    expect(trailOf(await run(['c', 'a', 'b'], wishing('c')))).toEqual(['FIRST a ok']);
    expect(trailOf(await run(['b', 'c', 'a'], { affinity: AFFINITY }))).toEqual(['FIRST a ok']);
  });
});
