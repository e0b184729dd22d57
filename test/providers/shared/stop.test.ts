import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AdapterEvent } from '../../../src/providers/port/adapter.ts';
import { cutAtStop, withLocalStop } from '../../../src/providers/shared/stop.ts';
import { answer, deltas } from '../../support/chat-samples.ts';

const FINISH: AdapterEvent = { type: 'finish', reason: 'LENGTH', raw: 'length' };
const END: AdapterEvent = { type: 'end' };
const CUT: readonly AdapterEvent[] = [
  { type: 'finish', reason: 'STOP', raw: 'stop' },
  { type: 'end', cancel: true },
];

function text(value: string, index = 0): AdapterEvent {
  return { type: 'delta', delta: { kind: 'text', index, text: value } };
}

function finished(index: number): AdapterEvent {
  return { type: 'delta', delta: { kind: 'part_finished', index } };
}

/** Feeds pieces of events to a reader with stop texts, one piece per wire event. */
function stream(pieces: readonly (readonly AdapterEvent[])[], stop: readonly string[]): readonly AdapterEvent[] {
  const read = withLocalStop(({ data }) => pieces[Number(data)] ?? [], stop);
  return pieces.flatMap((_, index) => read({ name: '', data: String(index) }));
}

/** What an answer of this text has to become, said as plainly as can be: the first place where a stop text is complete. */
function cutPlainly(whole: string, stop: readonly string[]): { text: string; isCut: boolean } {
  for (let end = 1; end <= whole.length; end += 1) {
    const complete = stop.filter((word) => whole.slice(0, end).endsWith(word));
    if (complete.length > 0) {
      const longest = Math.max(...complete.map(({ length }) => length));
      return { text: whole.slice(0, end - longest), isCut: true };
    }
  }
  return { text: whole, isCut: false };
}

describe('local stop texts', () => {
  it('cut the answer before them, wherever the pieces are cut', () => {
    const letters = fc.constantFrom('a', 'b', '\n', '🙂', '🙃', 'é');
    const words = fc.array(fc.string({ unit: letters, minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
    const whole = fc.string({ unit: letters, maxLength: 40 });
    fc.assert(
      fc.property(whole, words, fc.array(fc.nat(80)), (body, stop, cuts) => {
        const borders = [...new Set([0, ...cuts.filter((cut) => cut < body.length), body.length])].sort(
          (a, b) => a - b,
        );
        const pieces = borders.slice(1).map((border, index) => [text(body.slice(borders[index], border))]);
        const read = stream([...pieces, [FINISH, END]], stop);
        const expected = cutPlainly(body, stop);
        expect(answer(read).text).toBe(expected.text);
        expect(read.slice(-2)).toEqual(expected.isCut ? CUT : [FINISH, END]);
        expect(deltas(read).every((delta) => !('text' in delta) || delta.text.isWellFormed())).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('hold back what may be the beginning of one, and no more', () => {
    expect(stream([[text('one E')], [text('N')], [text('X two')]], ['END'])).toEqual([text('one '), text('ENX two')]);
  });

  it('release what was held back when the answer ends or another part begins', () => {
    expect(stream([[text('EN')], [FINISH, END]], ['END'])).toEqual([text('EN'), FINISH, END]);
    expect(stream([[text('EN')], [finished(0)], [text('D', 1)]], ['END'])).toEqual([
      text('EN'),
      finished(0),
      text('D', 1),
    ]);
    expect(stream([[text('EN')], [text('D', 1)]], ['END'])).toEqual([text('EN'), text('D', 1)]);
  });

  it('release nothing when the answer breaks', () => {
    const failure: AdapterEvent = {
      type: 'failure',
      failure: { class: 'overload', reason: 'PROVIDER_UNAVAILABLE', message: 'The provider failed.' },
    };
    expect(stream([[text('EN')], [failure]], ['END'])).toEqual([failure]);
  });

  it('end every open part, and let nothing through behind the cut', () => {
    const reasoning: AdapterEvent = { type: 'delta', delta: { kind: 'reasoning', index: 0, text: 'END' } };
    const events = [[reasoning], [text('yes E', 1)], [text('ND no', 1), finished(1)], [text('more', 2), FINISH]];
    expect(stream(events, ['END'])).toEqual([reasoning, text('yes ', 1), finished(0), finished(1), ...CUT]);
  });

  it('keep the usage of a whole answer', () => {
    const usage: AdapterEvent = { type: 'usage', usage: { outputTokens: 9 } };
    expect(cutAtStop([text('ab'), finished(0), usage, FINISH, END], ['b'])).toEqual([
      text('a'),
      finished(0),
      CUT[0],
      usage,
      CUT[1],
    ]);
    expect(cutAtStop([text('ab'), FINISH, END], [])).toEqual([text('ab'), FINISH, END]);
  });
});
