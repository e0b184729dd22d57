import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../src/providers/anthropic/messages-api.ts';
import { START, STOP, block, blockEnd, ending, piece, readStream } from '../../support/anthropic-samples.ts';
import { answer } from '../../support/chat-samples.ts';

const THOUGHT = { type: 'thinking', thinking: '' };
const HM = { type: 'thinking_delta', thinking: 'Hm' };
const TEXT = { type: 'text', text: '' };
const HI = { type: 'text_delta', text: 'Hi' };
const CALL = { type: 'tool_use', id: 'a', name: 'f', input: {} };
const INPUT = { type: 'input_json_delta', partial_json: '{"n":1}' };

const EXPECTED = {
  reasoning: 'Hm',
  text: 'Hi',
  calls: [{ id: 'a', name: 'f', arguments: '{"n":1}' }],
  finish: { reason: 'TOOL_CALLS' },
};

function inOrder(place: unknown, ends: boolean) {
  const own = <Event extends object>(event: Event) => ({ ...event, index: place });
  const parts = [
    { start: THOUGHT, delta: HM },
    { start: TEXT, delta: HI },
    { start: CALL, delta: INPUT },
  ];
  return parts.flatMap(({ start, delta }) => {
    const told = [own(block(0, start)), own(piece(0, delta))];
    return ends ? [told, own(blockEnd(0))].flat() : told;
  });
}

describe('blocks of other servers that speak the Messages API', () => {
  it.each([
    ['no index', undefined, true],
    ['no index and no end', undefined, false],
    ['all the index 0', 0, true],
    ['all the index 0 and no end', 0, false],
  ])('follow one another where they have %s', (_, place, ends) => {
    expect(answer(readStream(START, ...inOrder(place, ends), ending('tool_use'), STOP))).toMatchObject(EXPECTED);
  });

  it('may begin with their first words', () => {
    expect(answer(readStream(piece(0, HI), blockEnd(0), ending('end_turn'), STOP))).toMatchObject({
      text: 'Hi',
      finish: { reason: 'STOP' },
    });
  });

  it('may have deltas without a type', () => {
    const deltas = [piece(0, { text: 'Hi' }), blockEnd(0), block(1, CALL), piece(1, { partial_json: '{"n":1}' })];
    const events = readStream(START, block(0, TEXT), ...deltas, ending('tool_use'), STOP);
    expect(answer(events)).toMatchObject({ ...EXPECTED, reasoning: '' });
  });

  it('are said to be left out in part where a delta has what nobody knows', () => {
    const events = readStream(START, block(0, TEXT), piece(0, { type: 'hue_delta', hue: 3 }), ending('end_turn'), STOP);
    expect(answer(events).finish).toMatchObject({ doubts: ['unknown_output'] });
  });

  it('may say that a call has no input before its input', () => {
    const none = piece(0, { type: 'input_json_delta', partial_json: '{}' });
    const told = answer(readStream(START, block(0, CALL), none, piece(0, INPUT), ending('tool_use'), STOP));
    expect(told.calls).toEqual(EXPECTED.calls);
    expect(answer(readStream(START, block(0, CALL), none, ending('tool_use'), STOP)).calls).toEqual([
      { id: 'a', name: 'f', arguments: '{}' },
    ]);
  });

  it.each([
    ['end with [DONE] behind a reason that is known', 'end_turn', 'STOP'],
    ['do not end with it behind none', null, undefined],
  ])('%s', (_, reason, expected) => {
    const read = anthropic.events();
    const events = [START, block(0, TEXT), piece(0, HI), ending(reason)].flatMap((event) =>
      read({ name: '', data: JSON.stringify(event) }),
    );
    const finish = answer([...events, ...read({ name: '', data: '[DONE]' })]).finish;
    expect(finish?.reason).toBe(expected);
  });
});
