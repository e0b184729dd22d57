import type { Failure } from '../../../src/core/failure.ts';
import type { Adapter, AdapterEvent, EventReader } from '../../../src/providers/port/adapter.ts';

const FAILURE: Failure = { class: 'overload', reason: 'PROVIDER_UNAVAILABLE', message: 'The provider is overloaded.' };

/**
 * An adapter for a toy wire format: each event is a word and its argument, as in `text Hello`. What it does not know is no
 * event, like a role delta; `bug` throws as a fault of ours would.
 */
export function createToyAdapter(framing: Adapter['framing'] = 'sse'): Adapter {
  return {
    framing,
    request: () => ({ path: '/toy', body: {}, warnings: [], localStop: [] }),
    response: (json) => (Array.isArray(json) ? json.flatMap((word) => read(String(word))) : []),
    events:
      () =>
      ({ data }) =>
        read(framing === 'ndjson' ? String(JSON.parse(data)) : data),
    failure: ({ status, headers, body, wallMs }) => ({
      ...FAILURE,
      httpStatus: status,
      retryAfterMs: Number(headers['retry-after'] ?? 0) * 1000,
      // The tests look at what the adapter got; a real one keeps it to itself.
      cause: { length: body.length, end: body.slice(-3), wallMs },
    }),
    healthCheck: undefined,
    modelList: undefined,
    silence: () => 'short',
  };
}

/** A reader around another that ends the answer at the text `STOP`. */
export function stopReader(reader: EventReader): EventReader {
  return (event) =>
    reader(event).flatMap((one): readonly AdapterEvent[] =>
      one.type === 'delta' && one.delta.kind === 'text' && one.delta.text === 'STOP'
        ? [
            { type: 'finish', reason: 'STOP', raw: 'stop' },
            { type: 'end', cancel: true },
          ]
        : [one],
    );
}

function read(data: string): readonly AdapterEvent[] {
  const [word = '', argument = ''] = data.split(' ');
  switch (word) {
    case 'model':
      return [{ type: 'identity', model: argument, responseId: `${argument}-1` }];
    case 'text':
      return [{ type: 'delta', delta: { kind: 'text', index: 0, text: argument } }];
    case 'usage':
      return [{ type: 'usage', usage: { outputTokens: Number(argument) } }];
    case 'finish':
      return [{ type: 'finish', reason: 'STOP', raw: argument }];
    case '[DONE]':
      return [{ type: 'end' }];
    case 'unknown':
      return [{ type: 'unknown' }];
    case 'cancel':
      return [{ type: 'end', cancel: true }];
    case 'fail':
      return [{ type: 'failure', failure: FAILURE }];
    case 'bug':
      throw new TypeError(`no such thing: ${argument}`);
    default:
      return [];
  }
}
