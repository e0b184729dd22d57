import { describe, expect, it } from 'vitest';

import type { Delta } from '../../../src/core/answer.ts';
import type { AdapterEvent } from '../../../src/providers/port/adapter.ts';
import { withFreshCallIds } from '../../../src/providers/shared/fresh-call-ids.ts';
import { assistant, call, requestOf, result, results, user } from '../../support/chat-parts.ts';

type Call = Omit<Extract<Delta, { kind: 'tool_call' }>, 'kind'>;

/** Reads calls in one event each, behind a conversation that has called already. */
function read(calls: readonly Call[], before: readonly string[] = []): readonly (string | undefined)[] {
  const turns = before.flatMap((id) => [assistant(call(id, 'f')), results(result(id, ['fine']))]);
  const { messages } = requestOf([user('Hi'), ...turns]);
  const events = calls.map((delta): AdapterEvent => ({ type: 'delta', delta: { kind: 'tool_call', ...delta } }));
  let at = 0;
  const reader = withFreshCallIds(() => {
    const event = events[at++];
    return event === undefined ? [] : [event];
  }, messages);
  return events
    .flatMap(() => reader({ name: '', data: '' }))
    .flatMap((event) => (event.type === 'delta' && event.delta.kind === 'tool_call' ? [event.delta.id] : []));
}

const MADE = /^call_[A-Za-z0-9]{9}$/;

describe('ids of calls', () => {
  it('stay as they came where no other call has them', () => {
    expect(
      read([
        { index: 0, id: 'a', name: 'f', argumentsFragment: '' },
        { index: 1, id: 'b', name: 'f', argumentsFragment: '{}' },
      ]),
    ).toEqual(['a', 'b']);
  });

  it('are made where there are none, once, whatever follows', () => {
    const [first, none, second] = read([
      { index: 0, name: 'f', argumentsFragment: '' },
      { index: 0, id: 'late', argumentsFragment: '{}' },
      { index: 1, name: 'f', argumentsFragment: '{}' },
    ]);
    expect([first, second]).toEqual([expect.stringMatching(MADE), expect.stringMatching(MADE)]);
    expect(first).not.toBe(second);
    expect(none).toBeUndefined();
  });

  it('are made where two calls of an answer have the same, or one of an earlier turn', () => {
    const calls = [0, 1].map((index) => ({ index, id: 'call_1', name: 'f', argumentsFragment: '{}' }));
    const [first, second] = read(calls);
    expect(first).toBe('call_1');
    expect(second).toMatch(MADE);
    const [third, fourth] = read(calls, ['call_1', second ?? '']);
    expect(third).toMatch(MADE);
    expect(fourth).toMatch(MADE);
    expect(new Set([first, second, third, fourth]).size).toBe(4);
  });

  it('are the same for the same answer to the same conversation', () => {
    const calls = [{ index: 0, name: 'f', argumentsFragment: '{}' }];
    expect(read(calls, ['a'])).toEqual(read(calls, ['a']));
  });
});
