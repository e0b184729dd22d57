import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { chatApiOf } from '../../../src/mock/answer/chat-apis.ts';
import { hashedIds, toolIdsFor } from '../../../src/providers/shared/tool-ids.ts';
import { wire } from '../../support/chat-samples.ts';
import { assistant, call, requestOf, result, results, tool, user } from '../../support/chat-parts.ts';
import type { ProviderApi } from '../../support/every-adapter.ts';
import { EVERY_ADAPTER } from '../../support/every-adapter.ts';
import { callIdsIn } from '../../support/lost-parts.ts';

/** What ids of calls have to look like, by path; at Chat Completions the mock knows it of each provider. */
const FORMS: ReadonlyMap<string, RegExp> = new Map([
  ['/v1/messages', /^[A-Za-z0-9_-]+$/],
  ['/responses', /^.{1,64}$/su],
]);

/** Ids as providers make them, and whatever else the contract allows. */
const ids = fc.uniqueArray(
  fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9]{9}$/),
    fc.stringMatching(/^call_[A-Za-z0-9]{24}$/),
    fc.nat(20).map((index) => `functions.weather:${index}`),
    fc.string({ minLength: 1, maxLength: 256 }),
  ),
  { minLength: 1, maxLength: 6 },
);

/** Sends a conversation in which the tools were called under these ids, one after the other. */
function sent({ provider, adapter }: ProviderApi, called: readonly string[]) {
  const turns = called.flatMap((id) => [user('And?'), assistant(call(id, 'weather')), results(result(id, ['sunny']))]);
  const chat = requestOf(turns, { tools: [tool('weather')] });
  return callIdsIn(wire(adapter.request(chat, { name: 'main', provider, model: 'm', stream: false })).body);
}

describe.each(EVERY_ADAPTER)('the id of a tool call at $provider $path', (subject) => {
  const { provider, path } = subject;
  const form = (path === '/chat/completions' ? chatApiOf(provider).callIds : FORMS.get(path)) ?? /^/;

  it('has the form of the provider, is that of the result, and is that of no other call', () => {
    fc.assert(
      fc.property(ids, (called) => {
        const { calls, results: answered } = sent(subject, called);
        expect(answered).toEqual(calls);
        expect(new Set(calls).size).toBe(called.length);
        for (const id of calls) expect(id, `toolIds of ${provider}, src/mock/answer/chat-apis.ts`).toMatch(form);
      }),
    );
  });

  it('is the same in every turn of a conversation, and the call’s own where the provider takes that', () => {
    fc.assert(
      fc.property(ids, (called) => {
        const { calls } = sent(subject, called);
        expect(sent(subject, called.slice(0, -1)).calls).toEqual(calls.slice(0, -1));
        const [first = ''] = called;
        if (form.test(first)) expect(calls[0], `toolIds of ${provider}`).toBe(first);
      }),
    );
  });
});

describe('the ids of one conversation', () => {
  it('stay apart where a call already has the id that a later one comes with', () => {
    const toolId = toolIdsFor(hashedIds(/^[A-Za-z0-9]{9}$/));
    const first = toolId('call_1');
    const second = toolId(first);
    expect(first).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(second).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(second).not.toBe(first);
    expect([toolId('call_1'), toolId(first)]).toEqual([first, second]);
  });

  it('are tried until one is free', () => {
    const toolId = toolIdsFor({ fits: /^$/, rewrite: (_id, attempt) => String(attempt) });
    expect(['x', 'y', 'z', 'y'].map(toolId)).toEqual(['0', '1', '2', '1']);
  });

  it('are left alone where the provider takes any', () => {
    expect(toolIdsFor(undefined)('functions.weather:0')).toBe('functions.weather:0');
  });
});
