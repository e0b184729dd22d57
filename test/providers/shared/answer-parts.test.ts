import { describe, expect, it } from 'vitest';

import { AnswerParts } from '../../../src/providers/shared/answer-parts.ts';
import { deltas } from '../../support/chat-samples.ts';

const [HIGH, LOW] = ['\ud83c', '\udfad'];

describe('a character that is cut between two pieces', () => {
  it.each(['text', 'reasoning'] as const)('goes out whole (%s)', (kind) => {
    const parts = new AnswerParts();
    const told = [`a${HIGH}`, `${LOW}b`, HIGH, LOW].map((text) => deltas(parts.text(kind, 'key', text)));
    const piece = (text: string) => ({ kind, index: 0, text });
    expect(told).toEqual([[piece('a')], [piece(`${HIGH}${LOW}b`)], [], [piece(HIGH + LOW)]]);
  });

  it('goes out whole in the arguments of a call', () => {
    const parts = new AnswerParts();
    const told = [`"${HIGH}`, `${LOW}"`].flatMap((argumentsFragment) =>
      deltas(parts.call('key', { id: 'c1', name: 'act', argumentsFragment })),
    );
    expect(told).toEqual([
      { kind: 'tool_call', index: 0, id: 'c1', name: 'act', argumentsFragment: '"' },
      { kind: 'tool_call', index: 0, argumentsFragment: `${HIGH}${LOW}"` },
    ]);
  });

  it('is not joined with the half of another part', () => {
    const parts = new AnswerParts();
    parts.text('reasoning', 'one', HIGH);
    expect(deltas(parts.text('text', 'two', 'b'))).toEqual([{ kind: 'text', index: 1, text: 'b' }]);
  });

  it('and lacks its other half to the end goes out before the end of its part', () => {
    const parts = new AnswerParts();
    parts.text('text', 'key', `a${HIGH}`);
    expect(deltas(parts.finishAll())).toEqual([
      { kind: 'text', index: 0, text: HIGH },
      { kind: 'part_finished', index: 0 },
    ]);
  });
});
