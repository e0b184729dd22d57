import { describe, expect, it } from 'vitest';

import { endingOf } from '../../../../src/providers/shared/reading/finish-words.ts';

describe('a finish reason', () => {
  it.each([
    ['STOP', 'stop eos_token stop_sequence end_turn COMPLETE FINISH_REASON_STOP eosFound'],
    ['LENGTH', 'length max_tokens MAX_TOKENS model_length token_limit max_output_tokens contextLengthReached'],
    ['TOOL_CALLS', 'tool_calls tool_use TOOL_CALL function_call toolCalls'],
    [
      'CONTENT_FILTER',
      'content_filter SAFETY RECITATION PROHIBITED_CONTENT sensitive guardrail_intervened ERROR_TOXIC',
    ],
    ['REFUSAL', 'refusal'],
    ['OTHER', 'pause_turn load unload'],
  ])('means %s in all of these words: %s', (reason, words) => {
    for (const raw of words.split(' ')) expect(endingOf(raw)).toEqual({ type: 'known', reason, raw });
  });

  it.each(['', null, undefined, 'null', 'None', 'NOT_FINISHED', false, {}, [], 'a sentence, no word'])(
    'is none as %j',
    (value) => {
      expect(endingOf(value)).toEqual({ type: 'none' });
    },
  );

  it.each(
    'error network_error server_error ABORT cancelled insufficient_system_resource timeout time_limit'.split(' '),
  )('says that the answer broke off with %s', (raw) => {
    expect(endingOf(raw)).toEqual({ type: 'broken', raw });
  });

  it('may be an object with its word as type, and is not known otherwise', () => {
    expect(endingOf({ type: 'stop', matched: 2 })).toEqual({ type: 'known', reason: 'STOP', raw: 'stop' });
    expect(endingOf('steered')).toEqual({ type: 'unknown', raw: 'steered' });
  });
});
