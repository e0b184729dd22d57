import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { LastAnswer } from '../../../src/engine/route/conversation-targets.ts';
import {
  CONVERSATION_IDLE_MS,
  ConversationTargets,
  MAX_CONVERSATIONS,
} from '../../../src/engine/route/conversation-targets.ts';

const BY_B = { target: 'b', model: 'm' };

function open() {
  const clock = { nowMs: 0 };
  return { clock, targets: new ConversationTargets(() => clock.nowMs) };
}

describe('the targets of conversations', () => {
  it('are those of the last answers, as a plain list of all answers has them', () => {
    const step = fc.record({ key: fc.constantFrom('x', 'y', 'z'), target: fc.string(), waitMs: fc.nat(3_000_000) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const { clock, targets } = open();
        const list: (LastAnswer & { readonly key: string })[] = [];
        for (const { key, target, waitMs } of steps) {
          clock.nowMs += waitMs;
          const last = list.findLast((answer) => answer.key === key);
          const isKnown = last !== undefined && clock.nowMs - last.atMs < 3_600_000;
          expect(targets.recall({ key })?.target).toBe(isKnown ? last.target : undefined);
          targets.answered({ key, wish: '' }, { target, model: 'm' });
          list.push({ key, target, model: 'm', wish: '', atMs: clock.nowMs });
        }
      }),
    );
  });

  it('are forgotten an hour behind the last answer', () => {
    const { clock, targets } = open();
    targets.answered({ key: 'k', wish: '' }, BY_B);
    clock.nowMs = CONVERSATION_IDLE_MS - 1;
    expect(targets.recall({ key: 'k' })).toMatchObject(BY_B);
    clock.nowMs = CONVERSATION_IDLE_MS;
    expect(targets.recall({ key: 'k' })).toBeUndefined();
  });

  it('are 10,000 at most: whoever was answered longest ago is forgotten', () => {
    const { targets } = open();
    for (let index = 0; index < MAX_CONVERSATIONS; index += 1) targets.answered({ key: `${index}`, wish: '' }, BY_B);
    targets.answered({ key: '0', wish: '' }, BY_B);
    targets.answered({ key: 'one more', wish: '' }, BY_B);
    expect(['0', '1', '2', 'one more'].map((key) => targets.recall({ key })?.target)).toEqual([
      'b',
      undefined,
      'b',
      'b',
    ]);
  });
});
