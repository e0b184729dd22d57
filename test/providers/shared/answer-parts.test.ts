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

describe('a part that is said to be of two kinds', () => {
  it('is malformed', () => {
    const parts = new AnswerParts();
    parts.text('text', 'key', 'a');
    const malformed = [{ type: 'failure', failure: { class: 'protocol' } }];
    expect(parts.text('reasoning', 'key', 'b')).toMatchObject(malformed);
    expect(parts.call('key', { id: 'c1', name: 'act', argumentsFragment: '{}' })).toMatchObject(malformed);
  });
});

describe('a call', () => {
  const call = (id: string, name: string, argumentsFragment: string) => ({ id, name, argumentsFragment });

  it('begins with its name, behind which come id and arguments that came before it', () => {
    const parts = new AnswerParts();
    expect([...parts.call('key', call('c1', '', '[')), ...parts.call('key', call('', '', '1'))]).toEqual([]);
    expect(parts.isEmpty).toBe(true);
    expect(deltas(parts.call('key', call('', 'act', ']')))).toEqual([
      { kind: 'tool_call', index: 0, id: 'c1', name: 'act', argumentsFragment: '[1]' },
    ]);
    expect(parts.callCount).toBe(1);
  });

  it('without an id gets one of the id of the answer, of 256 characters at most', () => {
    const parts = new AnswerParts(() => `resp-${'x'.repeat(250)}-1`);
    const ids = ['one', 'two'].map((key) => deltas(parts.call(key, call('', 'act', '{}')))[0]);
    expect(ids).toMatchObject([{ id: `call_${'x'.repeat(47)}1_1` }, { id: `call_${'x'.repeat(47)}1_2` }]);
  });

  it('without arguments has {}, once', () => {
    const parts = new AnswerParts();
    const events = [...parts.call('key', call('c1', 'act', ' ')), ...parts.finish('key'), ...parts.finishAll()];
    expect(deltas(events)).toEqual([
      { kind: 'tool_call', index: 0, id: 'c1', name: 'act', argumentsFragment: '' },
      { kind: 'tool_call', index: 0, argumentsFragment: '{}' },
      { kind: 'part_finished', index: 0 },
    ]);
  });

  it.each(['{}', 'null', ' {} '])('may have %s stand in for arguments that follow', (nothing) => {
    const parts = new AnswerParts();
    const pieces = [nothing, '{"n":', '1}'].flatMap((text) => parts.call('key', call('c1', 'act', text)));
    const events = deltas([...pieces, ...parts.finish('key')]);
    const fragments = events.map((delta) => (delta.kind === 'tool_call' ? delta.argumentsFragment : ''));
    expect(fragments.join('')).toBe('{"n":1}');
  });

  it('that never gets a name may not keep arguments without end', () => {
    const parts = new AnswerParts();
    const pieces = Array.from({ length: 70 }, () => parts.call('key', call('c1', '', 'x'.repeat(1_000))));
    expect(pieces.flat()[0]).toMatchObject({ type: 'failure', failure: { class: 'protocol' } });
  });
});
