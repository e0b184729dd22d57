import { expect, test } from 'vitest';

import type { AdapterEvent } from '../../../src/providers/port/adapter.ts';
import { JoinedEvents } from '../../../src/upstream/exchange/joined-events.ts';

function piece(kind: 'text' | 'reasoning', index: number, text: string): AdapterEvent {
  return { type: 'delta', delta: { kind, index, text } };
}

const CALL: AdapterEvent = { type: 'delta', delta: { kind: 'tool_call', index: 2, argumentsFragment: '{' } };
const USAGE: AdapterEvent = { type: 'usage', usage: { inputTokens: 1 } };

test('pieces of one text that come together are one, and nothing else changes its place', () => {
  const joined = new JoinedEvents();
  joined.add([USAGE, piece('reasoning', 0, 'a')]);
  joined.add([]);
  joined.add([piece('reasoning', 0, 'b'), piece('text', 1, 'c'), piece('text', 1, 'd')]);
  joined.add([CALL]);
  joined.add([CALL, piece('text', 1, 'e'), piece('text', 3, 'f')]);
  joined.add([USAGE]);
  expect(joined.end()).toEqual([
    USAGE,
    piece('reasoning', 0, 'ab'),
    piece('text', 1, 'cd'),
    CALL,
    CALL,
    piece('text', 1, 'e'),
    piece('text', 3, 'f'),
    USAGE,
  ]);
});
