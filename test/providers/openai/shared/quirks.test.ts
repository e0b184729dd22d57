import { describe, expect, it } from 'vitest';

import { Role } from '../../../../gen/understudy/v1/chat_pb.ts';
import type { OpenAiApi } from '../../../../src/core/provider.ts';
import type { Quirk } from '../../../../src/providers/port/quirk.ts';
import { openai } from '../../../../src/providers/openai.ts';
import { recordsOf } from '../../../../src/providers/shared/json/value.ts';
import { assistant, cached, call, requestOf, result, results, text, tool, user } from '../../../support/chat-parts.ts';
import type { ChatExtras, MessageInit, PartInit } from '../../../support/chat-parts.ts';
import { wire } from '../../../support/chat-samples.ts';

const rule = (...content: readonly (PartInit | string)[]): MessageInit => ({ ...user(...content), role: Role.SYSTEM });

/** Writes a request for a server of another maker. */
function written(
  api: OpenAiApi,
  model: string,
  messages: MessageInit[],
  quirks: readonly Quirk[] = [],
  more: ChatExtras = {},
) {
  const target = { name: 'main', provider: 'openai', model, stream: true, ownHost: false } as const;
  return wire(openai(api).request(requestOf(messages, more), { ...target, quirks: new Set(quirks) })).body;
}

describe('a request to another server that speaks OpenAI’s APIs', () => {
  it('has one message of leading instructions, in parts where the prompt is to be cached behind one', () => {
    const [first] = recordsOf(
      written('chat_completions', 'gpt-5.6', [rule('A'), rule(cached(text('B'))), user('Hi')])['messages'],
    );
    const mark = { prompt_cache_breakpoint: { mode: 'explicit' } };
    expect(first).toEqual({
      role: 'developer',
      content: [
        { type: 'text', text: 'A' },
        { type: 'text', text: 'B', ...mark },
      ],
    });
    const unmarked = written(
      'chat_completions',
      'gpt-5.6',
      [rule('A'), rule(cached(text('B'))), user('Hi')],
      ['no prompt_cache_breakpoint'],
    );
    expect(recordsOf(unmarked['messages'])[0]?.['content']).toBe('A\n\nB');
  });

  it('has as many messages of instructions as the caller has where OpenAI itself is asked', () => {
    const target = { name: 'main', provider: 'openai', model: 'gpt-4o', stream: true, ownHost: true } as const;
    const { body } = wire(openai('chat_completions').request(requestOf([rule('A'), rule('B'), user('Hi')]), target));
    expect(recordsOf(body['messages'])).toHaveLength(3);
  });

  it('does not ask for less padding, which no other server adds', () => {
    expect(written('chat_completions', 'gpt-4o', [user('Hi')])['stream_options']).toEqual({ include_usage: true });
    expect(written('responses', 'gpt-4o', [user('Hi')])).not.toHaveProperty('stream_options');
  });

  it('has content as text where a server takes no other', () => {
    const turns = [user('One', 'Two'), assistant(call('a', 'f')), results(result('a', ['x']))];
    const contents = (quirks: readonly Quirk[]) =>
      recordsOf(written('chat_completions', 'house', turns, quirks)['messages']).map(({ content }) => content);
    expect(contents(['content as text'])).toEqual(['One\n\nTwo', '', 'x']);
    expect(contents([])).toEqual([
      [
        { type: 'text', text: 'One' },
        { type: 'text', text: 'Two' },
      ],
      null,
      'x',
    ]);
  });

  it('over Responses leaves out and renames what a server is known to refuse', () => {
    const turns = [user('Hi'), assistant('Yes?'), rule('Be brief.'), user('Go on.')];
    const more = { tools: [tool('f')], options: { endUser: 'u' } };
    const plain = written('responses', 'gpt-5', turns, [], more);
    expect(plain).toMatchObject({ store: false, include: ['reasoning.encrypted_content'], safety_identifier: 'u' });
    const odd = written(
      'responses',
      'gpt-5',
      turns,
      ['no store', 'no include', 'no strict', 'no developer', 'no safety_identifier'],
      more,
    );
    for (const field of ['store', 'include', 'safety_identifier']) expect(odd).not.toHaveProperty(field);
    expect(odd['user']).toBe('u');
    expect(recordsOf(odd['tools'])[0]).not.toHaveProperty('strict');
    expect(recordsOf(odd['input'])[2]).toMatchObject({ role: 'system' });
  });

  it('never swaps a name for one that is refused too', () => {
    const more = { options: { maxTokens: 7 } };
    const both = written(
      'chat_completions',
      'house',
      [user('Hi')],
      ['no max_tokens', 'no max_completion_tokens'],
      more,
    );
    expect(both).toMatchObject({ max_tokens: 7 });
  });
});
