import { describe, expect, it } from 'vitest';

import { anthropic } from '../../../../src/providers/anthropic/messages-api.ts';
import { openai } from '../../../../src/providers/openai.ts';

const chat = openai('chat_completions');

function failing(status: number, body: unknown, adapter = chat) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return adapter.failure({ status, headers: {}, body: text, wallMs: 0 });
}

const message = (words: string) => ({ error: { message: words, type: 'invalid_request_error' } });

describe('a refusal of what the gateway writes on its own', () => {
  it.each([
    ['no stream_options', 422, { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'no' }] }],
    ['no stream_options', 400, message("Unknown parameter: 'stream_options'.")],
    ['no stream_options', 400, message("This route does not support parameters: ['stream_options'], for model=m.")],
    ['no stream_options', 400, message('This model does not support stream_options')],
    ['no stream_options', 400, message('参数 stream_options 不支持')],
    ['ids of words', 400, message("messages.3.tool_calls.0.id: String should match pattern '^[a-zA-Z0-9_-]+$'")],
    ['no stream_options', 400, message('json: unknown field "stream_options"')],
    [
      'no stream_options',
      422,
      'Failed to deserialize: unknown field `stream_options`, expected one of `model`, `messages`',
    ],
    ['no stream_options', 400, { error: 'stream_options: Extra inputs are not permitted' }],
    ['no stream_options', 400, message("Additional properties are not allowed ('stream_options' was unexpected)")],
    [
      'no stream_options',
      400,
      [{ error: message('Invalid JSON payload received. Unknown name "stream_options": Cannot find field.').error }],
    ],
    ['no stream_options', 400, message('The parameter stream_options is not supported by this endpoint')],
    // What a router wraps.
    [
      'no stream_options',
      400,
      {
        error: {
          message: 'Provider returned error',
          metadata: { raw: JSON.stringify(message("got an unexpected keyword argument 'stream_options'")) },
        },
      },
    ],
    [
      'no include_obfuscation',
      400,
      {
        error: {
          message: "Unknown parameter: 'stream_options.include_obfuscation'.",
          param: 'stream_options.include_obfuscation',
          code: 'unknown_parameter',
        },
      },
    ],
    [
      'no stream_options',
      400,
      message(
        "[{'type': 'extra_forbidden', 'loc': ('body', 'stream_options'), 'msg': 'Extra inputs are not permitted', 'input': {}}]",
      ),
    ],
    ['no store', 400, message('Unrecognized request argument supplied: store')],
    [
      'no include',
      422,
      { detail: [{ type: 'extra_forbidden', loc: ['body', 'include'], msg: 'Extra inputs are not permitted' }] },
    ],
    [
      'no strict',
      400,
      { error: { message: 'Unknown parameter', param: 'tools[0].strict', code: 'unknown_parameter' } },
    ],
    [
      'no max_tokens',
      400,
      {
        error: {
          message:
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
          param: 'max_tokens',
          code: 'unsupported_parameter',
        },
      },
    ],
    ['no max_completion_tokens', 400, message('Unrecognized request argument supplied: max_completion_tokens')],
    ['no safety_identifier', 400, message("property 'safety_identifier' is unsupported")],
    ['no developer', 400, message('Unexpected role: developer')],
    [
      'no developer',
      422,
      message('messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`'),
    ],
    [
      'no developer',
      400,
      {
        error: {
          message: "Unsupported value: 'messages[0].role' does not support 'developer' with this model.",
          param: 'messages[0].role',
          code: 'unsupported_value',
        },
      },
    ],
    [
      'no reasoning_content',
      400,
      message(
        "'messages.2' : for 'role:assistant' the following must be satisfied[('messages.2' : property 'reasoning_content' is unsupported)]",
      ),
    ],
    [
      'no reasoning',
      422,
      {
        detail: [
          {
            type: 'extra_forbidden',
            loc: ['body', 'messages', 2, 'assistant', 'reasoning'],
            msg: 'Extra inputs are not permitted',
          },
        ],
      },
    ],
    ['no reasoning_details', 400, message("Unknown parameter: 'messages[1].reasoning_details'")],
    ['no extra_content', 400, message('messages.1.tool_calls.0.extra_content: Extra inputs are not permitted')],
    ['system first', 400, message('System message must be at the beginning.')],
    ['system first', 500, message('Jinja exception: system message must be first')],
    ['system first', 400, message('Only one system message is allowed')],
    [
      'content as text',
      422,
      {
        detail: [
          { type: 'string_type', loc: ['body', 'messages', 1, 'content'], msg: 'Input should be a valid string' },
        ],
      },
    ],
    ['content as text', 400, message('messages[0].content: invalid type: sequence, expected a string')],
    ['content as text', 400, message('invalid message content type: <nil>')],
    [
      'ids of nine',
      400,
      { object: 'error', message: 'Tool call id was x but must be a-z, A-Z, 0-9, with a length of 9.', code: '3280' },
    ],
    [
      'ids up to 40',
      400,
      {
        error: {
          message:
            "Invalid 'messages[2].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got 44.",
          code: 'string_above_max_length',
        },
      },
    ],
    [
      'ids up to 64',
      400,
      message("Invalid 'input[3].call_id': string too long. Expected a string with maximum length 64, but got 70."),
    ],
    [
      'wants reasoning_content',
      400,
      message('The `reasoning_content` in the thinking mode must be passed back to the API.'),
    ],
    [
      'wants thought_signature',
      400,
      [
        {
          error: {
            code: 400,
            message: 'Function call is missing a thought_signature in functionCall parts.',
            status: 'INVALID_ARGUMENT',
          },
        },
      ],
    ],
  ])('is known: %s, of status %i', (quirk, status, body) => {
    expect(failing(status, body)).toMatchObject({
      class: 'capability',
      reason: 'UNSUPPORTED_PARAMETER',
      quirk,
      httpStatus: status,
    });
  });

  it.each([
    ['no cache_control', 'system.0.cache_control: Extra inputs are not permitted'],
    ['no display', 'thinking.adaptive.display: Extra inputs are not permitted'],
    ['system first', "messages.3.role: Input should be 'user' or 'assistant'"],
  ])('is known at servers that speak the Messages API: %s', (quirk, words) => {
    const body = { type: 'error', error: { type: 'invalid_request_error', message: words } };
    expect(failing(400, body, anthropic)).toMatchObject({ class: 'capability', quirk });
  });

  it.each([
    ['a value of the caller', 400, message('max_tokens is too large: 999999')],
    ['a field of the caller', 400, message("Unknown parameter: 'logprobs'.")],
    [
      'a place of that name within another',
      400,
      {
        error: {
          message: "Unknown parameter: 'tools[0].stream_options'.",
          param: 'tools[0].stream_options',
          code: 'unknown_parameter',
        },
      },
    ],
    ['words that are no names', 400, message('Unsupported request. Please include a model and store your key.')],
    ['a schema', 400, message("Invalid schema for response_format: 'strict' must be true and extra inputs must go")],
    ['words that it quotes', 400, message("Invalid value: 'say: unknown field stream_options'. Use 'auto' or 'none'.")],
    [
      'words that a list of Python quotes',
      400,
      `[{'type': 'enum', 'loc': ('body', 'user'), 'msg': 'Input should be a name', 'input': 'unknown field stream_options'}]`,
    ],
    [
      'a quotation that a server wraps',
      500,
      { detail: `Server error: "the unknown field 'store' is what I asked of"` },
    ],
    ['a wrong key', 401, message("Unknown parameter: 'stream_options'.")],
    ['a rate limit', 429, message("Unknown parameter: 'stream_options'.")],
    ['a page of a proxy', 400, '<html><body>Bad Request</body></html>'],
    ['nothing', 400, ''],
  ])('is not taken from %s', (_, status, body) => {
    expect(failing(status, body)).not.toHaveProperty('quirk');
  });

  it('keeps what is known of the failure, and its field', () => {
    const body = {
      error: { message: "Unsupported parameter: 'max_tokens'", param: 'max_tokens', code: 'unsupported_parameter' },
    };
    expect(failing(400, body)).toMatchObject({ field: 'options.max_tokens', providerCode: 'unsupported_parameter' });
  });

  it('reads no end of what is wrapped', () => {
    const deep = JSON.parse(`${'{"error":'.repeat(100)}"unknown field stream_options"${'}'.repeat(100)}`);
    expect(failing(400, deep)).not.toHaveProperty('quirk');
    const wide = { detail: Array.from({ length: 1_000 }, () => ({ loc: ['body', 'seed'], msg: 'no' })) };
    expect(failing(400, wide)).not.toHaveProperty('quirk');
  });

  it('is known within an answer of status 200 too, streamed or whole', () => {
    const error = { ...message("Unknown parameter: 'stream_options'.").error, code: 400 };
    const [event] = chat.events()({ name: '', data: JSON.stringify({ error }) });
    const [whole] = chat.response({ error });
    const expected = { type: 'failure', failure: { class: 'capability', quirk: 'no stream_options' } };
    expect(event).toMatchObject(expected);
    expect(whole).toMatchObject(expected);
  });

  it.each([
    ['Responses', openai('responses'), 'no store', "Unknown parameter: 'store'."],
    ['Messages', anthropic, 'no cache_control', 'system.0.cache_control: Extra inputs are not permitted'],
  ])('is known within an answer of %s', (_, adapter, quirk, words) => {
    const data = { type: 'error', error: { type: 'invalid_request_error', message: words, code: 400 } };
    const expected = { type: 'failure', failure: { class: 'capability', quirk } };
    expect(adapter.events()({ name: 'error', data: JSON.stringify(data) })[0]).toMatchObject(expected);
    expect(adapter.response(data)[0]).toMatchObject(expected);
  });
});
