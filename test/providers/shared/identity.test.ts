import { describe, expect, it } from 'vitest';
import { Identity } from '../../../src/providers/shared/identity.ts';

describe('the identity of an answer', () => {
  it('is told once, and again where something is new', () => {
    const identity = new Identity();
    expect(identity.read('gpt-x', 'resp_1')).toEqual([{ type: 'identity', model: 'gpt-x', responseId: 'resp_1' }]);
    expect(identity.read('gpt-x', 'resp_1')).toEqual([]);
    expect(identity.read('', null)).toEqual([]);
    expect(identity.read('gpt-y', undefined)).toEqual([{ type: 'identity', model: 'gpt-y', responseId: 'resp_1' }]);
  });

  it('is no text of any length, which would go into every answer and every log', () => {
    expect(new Identity().read('m'.repeat(257), 'r'.repeat(257))).toEqual([]);
    expect(new Identity().read('m'.repeat(256), 7)).toEqual([{ type: 'identity', model: 'm'.repeat(256) }]);
  });
});
