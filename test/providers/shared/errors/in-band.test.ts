import { describe, expect, it } from 'vitest';
import { anthropic } from '../../../../src/providers/anthropic/messages-api.ts';
import { ollama } from '../../../../src/providers/ollama/chat-api.ts';
import { openai } from '../../../../src/providers/openai.ts';
import type { Adapter } from '../../../../src/providers/port/adapter.ts';

const chat = openai('chat_completions');
const responses = openai('responses');

/** How an error comes inside an answer: the adapter, and what is sent for an error object. */
const PLACES: readonly (readonly [where: string, adapter: Adapter, sent: (error: object) => unknown])[] = [
  ['a chunk', chat, (error) => ({ error })],
  ['a chunk without envelope', chat, (error) => ({ object: 'error', ...error })],
  ['a choice', chat, (error) => ({ choices: [{ index: 0, finish_reason: 'error', delta: {}, message: {}, error }] })],
  ['an event of Responses', responses, (error) => ({ type: 'error', error })],
  ['an event of Responses without envelope', responses, (error) => ({ ...error, type: 'error' })],
  ['an error alone, on Responses', responses, (error) => ({ error })],
  ['a failed response', responses, (error) => ({ type: 'response.failed', response: { status: 'failed', error } })],
  ['an event of Messages', anthropic, (error) => ({ type: 'error', error })],
  ['an error alone, on Messages', anthropic, (error) => ({ error })],
  ['a line of Ollama', ollama, (error) => ({ error })],
];

const ERRORS = [
  [{ code: 400, message: 'request (9 tokens) exceeds the available context size (8 tokens)' }, 'capability'],
  [{ message: 'Context size has been exceeded.', code: 500 }, 'capability'],
  [{ code: 'context_length_exceeded', message: 'x' }, 'capability'],
  [{ code: 500, message: 'image input is not supported' }, 'capability'],
  [{ code: 429, message: 'Rate limited by the server behind' }, 'rate_limit'],
  [{ code: 'rate_limit', message: 'x' }, 'rate_limit'],
  [{ code: 'rate_limit_exceeded', message: 'x' }, 'rate_limit'],
  [{ message: 'x', code: '429' }, 'rate_limit'],
  [{ code: 402, message: 'x' }, 'quota'],
  [{ message: 'Insufficient balance' }, 'quota'],
  [{ code: '1113', message: 'x' }, 'quota'],
  [{ message: 'Your input was flagged' }, 'content'],
  [{ code: 401, message: 'x' }, 'auth'],
  [{ message: 'API key not valid. Please pass a valid API key.' }, 'auth'],
  [{ code: 404, message: 'x' }, 'not_found'],
  [{ message: 'The model `x` does not exist' }, 'not_found'],
  [{ code: 400, message: 'x' }, 'bad_request'],
  [{ code: 503, message: 'x' }, 'overload'],
  [{ message: 'The server had an error.' }, 'overload'],
  [{ message: 'x', metadata: { raw: '{"error":{"message":"maximum context length is 9"}}' }, code: 400 }, 'capability'],
] as const;

describe.each(PLACES)('an error in %s', (where, adapter, sent) => {
  it.each(ERRORS)('%j is of class %s', (error, failureClass) => {
    const data = JSON.stringify(sent(error));
    expect(adapter.events()({ name: '', data })).toMatchObject([{ type: 'failure', failure: { class: failureClass } }]);
  });

  it('is the same in a whole answer', () => {
    if (where === 'a failed response') return;
    const whole = sent({ code: 429, message: 'x' });
    expect(adapter.response(whole)).toMatchObject([{ type: 'failure', failure: { class: 'rate_limit' } }]);
  });
});

describe('an error in place of an answer', () => {
  it('is known by its number, where there is no object for it', () => {
    const whole = { base_resp: { status_code: 1008, status_msg: 'insufficient balance' }, choices: null };
    expect(chat.response(whole)).toMatchObject([{ failure: { class: 'quota' } }]);
    const read = chat.events();
    expect(read({ name: '', data: JSON.stringify(whole) })).toMatchObject([{ failure: { class: 'quota' } }]);
    const well = JSON.stringify({ base_resp: { status_code: 0, status_msg: 'success' } });
    expect(chat.events()({ name: '', data: well })).toEqual([{ type: 'unknown' }]);
  });

  it.each([
    [1000, 'overload'],
    [1001, 'overload'],
    [1002, 'rate_limit'],
    [1004, 'auth'],
    [2013, 'bad_request'],
    [9999, 'overload'],
  ])('is an error by whatever number but 0: %i', (number, failureClass) => {
    const whole = { base_resp: { status_code: number, status_msg: 'See our pages' }, choices: null };
    const failures = [{ type: 'failure', failure: { class: failureClass } }];
    expect(chat.response(whole)).toMatchObject(failures);
    expect(chat.events()({ name: '', data: JSON.stringify(whole) })).toMatchObject(failures);
  });

  it('is known by its words in a whole answer of any API', () => {
    for (const adapter of [chat, responses, anthropic]) {
      expect(adapter.response({ message: 'Insufficient balance' })).toMatchObject([{ failure: { class: 'quota' } }]);
      expect(adapter.response({ message: 'Hello' })).toMatchObject([{ failure: { class: 'protocol' } }]);
      expect(adapter.response({})).toMatchObject([{ failure: { class: 'protocol' } }]);
    }
  });

  it('has whatever type it wants in an event that is named an error', () => {
    const data = JSON.stringify({ code: 400, type: 'exceed_context_size_error', message: 'x' });
    for (const adapter of [chat, responses, anthropic]) {
      expect(adapter.events()({ name: 'error', data })).toMatchObject([
        { failure: { reason: 'CONTEXT_LENGTH_EXCEEDED' } },
      ]);
    }
  });

  it.each([
    ['insufficient balance', 'quota'],
    ['"insufficient balance"', 'quota'],
    ['Rate limit exceeded', 'rate_limit'],
    ['The prompt is too long', 'capability'],
    ['Something broke', 'overload'],
    ['{"error": {"message": "insufficient bal', 'protocol'],
    ['{"delta": "insufficient balance", "x', 'protocol'],
  ])('may be a text alone in an event that is named an error: %s', (data, failureClass) => {
    for (const adapter of [chat, responses, anthropic]) {
      expect(adapter.events()({ name: 'error', data })).toMatchObject([
        { type: 'failure', failure: { class: failureClass } },
      ]);
    }
  });

  it('is no text of an event with another name', () => {
    for (const adapter of [chat, responses, anthropic]) {
      for (const data of ['insufficient balance', '"insufficient balance"']) {
        expect(adapter.events()({ name: '', data })).toMatchObject([
          { type: 'failure', failure: { class: 'protocol' } },
        ]);
      }
    }
  });

  it('is none where a tool that runs at the provider has failed', () => {
    const data = JSON.stringify({
      type: 'response.tool_of_tomorrow.failed',
      error: { message: 'Insufficient balance' },
    });
    expect(responses.events()({ name: '', data })).not.toMatchObject([{ type: 'failure' }]);
  });

  it('counts by words before the kind of code that every server sends for everything', () => {
    const error = { type: 'invalid_request_error', code: 'rate_limit', message: 'x' };
    const data = JSON.stringify({ type: 'response.failed', response: { error } });
    expect(responses.events()({ name: '', data })).toMatchObject([{ failure: { class: 'rate_limit' } }]);
  });
});
