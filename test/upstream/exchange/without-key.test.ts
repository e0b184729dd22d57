import { describe, expect, test } from 'vitest';

import type { Delta, Finish } from '../../../src/core/answer.ts';
import type { AttemptEvent } from '../../../src/core/ports.ts';
import { withoutKey } from '../../../src/upstream/exchange/without-key.ts';

type Event = AttemptEvent<Delta, Finish>;

const KEY = 'sk-0123456789';

function passed(event: Event, key: string | undefined): Event | undefined {
  let seen: Event | undefined;
  withoutKey((told) => {
    seen = told;
  }, key)(event);
  return seen;
}

function wordsWith(word: string): readonly Event[] {
  return [
    { type: 'headers', status: 401, requestId: word },
    { type: 'startup', bytes: 3, model: word },
    { type: 'terminal', final: { reason: 'OTHER', raw: word, responseId: word } },
    {
      type: 'error',
      failure: {
        class: 'auth',
        reason: 'PROVIDER_AUTH_FAILED',
        message: 'ours',
        providerCode: word,
        providerRequestId: word,
      },
    },
  ];
}

describe('words of a provider', () => {
  test.each(wordsWith(`bad-${KEY}`))('lose the key of the target ($type)', (event) => {
    const told = passed(event, KEY);
    expect(told).toMatchObject({ type: event.type });
    expect(JSON.stringify(told)).not.toContain(KEY);
  });

  test.each(wordsWith('invalid_api_key'))('stay where there is no key in them ($type)', (event) => {
    expect(passed(event, KEY)).toEqual(event);
    expect(passed(event, undefined)).toBe(event);
  });

  test('stay where the key is no secret', () => {
    const event: Event = { type: 'startup', bytes: 0, model: 'none' };
    expect(passed(event, 'none')).toBe(event);
  });

  test('are not looked for in the answer', () => {
    const event: Event = { type: 'output', value: { kind: 'text', index: 0, text: KEY }, bytes: 13 };
    expect(passed(event, KEY)).toBe(event);
  });
});
