import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it, test } from 'vitest';

import { ChatRequestSchema } from '../../gen/understudy/v1/llm_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import { affinityOf, movedWarning } from '../../src/request-plan/conversation-affinity.ts';
import { entryOf } from '../support/engine-harness.ts';

const CHAIN = [entryOf('a', { model: 'm' }), entryOf('b')];

function asked(init: Omit<MessageInitShape<typeof ChatRequestSchema>, '$typeName'>) {
  return create(ChatRequestSchema, init);
}

describe('the conversation that a request goes on with', () => {
  it('has the key of the routing, otherwise that of the prompt’s cache', () => {
    const options = { promptCacheKey: 'cache' };
    expect(affinityOf(asked({}), CHAIN)).toBeUndefined();
    expect(affinityOf(asked({ options }), CHAIN)).toEqual({ key: 'cache', wish: '' });
    expect(affinityOf(asked({ options, routing: { affinityKey: 'own' } }), CHAIN)).toEqual({ key: 'own', wish: '' });
    expect(affinityOf(asked({ options: { promptCacheKey: '' }, routing: {} }), CHAIN)).toBeUndefined();
  });

  test.each([
    { model: 'm' },
    { routing: { route: 'cheap' } },
    { routing: { targets: ['a', 'b'] } },
    { routing: { preferredProvider: 'a' } },
  ])('has a wish where the request says who is first: %j', ({ routing, ...init }) => {
    const request = asked({ ...init, routing: { ...routing, affinityKey: 'k' } });
    expect(affinityOf(request, CHAIN)).toEqual({ key: 'k', wish: 'a/m' });
  });
});

describe('the warning that a conversation has moved', () => {
  it('names the target that it has left, the key, and why', () => {
    const own = movedWarning(asked({ routing: { affinityKey: 'k' } }), { from: 'a', reason: 'CIRCUIT_OPEN' });
    expect(own).toMatchObject({
      code: WarningCode.CONVERSATION_MOVED,
      field: 'routing.affinity_key',
      target: 'a',
      message: 'This target gave the last answer of the conversation, and another one gave this: CIRCUIT_OPEN.',
    });
    const other = movedWarning(asked({ options: { promptCacheKey: 'k' } }), { from: 'a', reason: undefined });
    expect(other.field).toBe('options.prompt_cache_key');
    expect(other.message).toMatch(/: the request asks for others\.$/);
  });
});
