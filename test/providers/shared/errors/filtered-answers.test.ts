import { describe, expect, it } from 'vitest';
import { DIALECTS, refused } from '../../../support/error-envelopes.ts';

describe.each(DIALECTS)('an answer with an error status at %s', (_, adapter) => {
  const body = (reason: string): string =>
    JSON.stringify({ object: 'chat.completion', choices: [{ index: 0, finish_reason: reason, message: {} }] });

  it.each(['content_filter', 'sensitive', 'SAFETY'])(
    'is a refused prompt where a filter has ended it: %s',
    (reason) => {
      expect(refused(adapter, 400, body(reason))).toMatchObject({ class: 'content', reason: 'PROMPT_BLOCKED' });
    },
  );

  it.each(['stop', 'length', ''])('is none where it ends with %j', (reason) => {
    expect(refused(adapter, 400, body(reason))).toMatchObject({ class: 'bad_request' });
  });
});
