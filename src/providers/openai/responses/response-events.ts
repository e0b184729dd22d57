import type { FinishReason } from '../../../core/answer.ts';
import type { AdapterEvent, EventReader, WireEvent } from '../../port/adapter.ts';
import { Identity } from '../../shared/identity.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, parseJson, textOf, wordOf } from '../../shared/json/value.ts';
import { openAiInBandFailure } from '../shared/error-codes.ts';
import { ResponsesOutput } from './output-items.ts';
import { responsesUsage } from '../shared/token-usage.ts';
import { inPlaceOfAnswer } from '../../shared/errors/refusal-failure.ts';
import { providerFailure } from '../../shared/provider-failure.ts';

const INCOMPLETE_REASONS: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['max_output_tokens', 'LENGTH'],
  ['content_filter', 'CONTENT_FILTER'],
]);

/**
 * Reads a whole answer of the Responses API. An answer that is still being made (`queued`, `in_progress`) is none: it is a
 * failure of class `protocol`.
 */
export function responsesResponse(json: unknown): readonly AdapterEvent[] {
  const body = asRecord(json);
  if (body === undefined) return MALFORMED;
  // A success has `error: null`; some gateways answer with an error object alone.
  if (!Array.isArray(body.output)) {
    return body.error === undefined || body.error === null
      ? inPlaceOfAnswer(body)
      : [{ type: 'failure', failure: openAiInBandFailure(body.error) }];
  }
  const output = new ResponsesOutput();
  return [...new Identity().read(body.model, body.id), ...output.readWhole(body.output), ...conclude(body, output)];
}

/**
 * Makes a reader for a streamed answer of the Responses API. It ends with `response.completed`, `response.incomplete` or
 * `response.failed`; without one of them it is truncated. Events of tools that run at the provider are ignored.
 */
export function responsesEvents(): EventReader {
  const reader = new ResponsesReader();
  return (event) => reader.readEvent(event);
}

const MALFORMED: readonly AdapterEvent[] = [{ type: 'failure', failure: providerFailure('protocol') }];

class ResponsesReader {
  readonly #output = new ResponsesOutput();
  readonly #identity = new Identity();
  #isClosed = false;

  readEvent(event: WireEvent): readonly AdapterEvent[] {
    const data = event.data.trim();
    // `[DONE]` is sent by some servers, and is no terminal marker of this API.
    if (this.#isClosed || data === '' || data === '[DONE]') return [];
    const body = asRecord(parseJson(data));
    if (body === undefined) return this.#close(MALFORMED);
    const type = textOf(body.type) || event.name;
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
        return this.#readIdentity(asRecord(body.response));
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        return this.#readEnd(type.slice('response.'.length), asRecord(body.response) ?? {});
      case 'error':
        return this.#refuse(body);
      default:
        // Some servers send the object of an error alone, with a type of its own; tools that fail there have events of this API.
        if (event.name === 'error' || (!type.startsWith('response.') && isErrorAlone(body))) return this.#refuse(body);
        return this.#output.readEvent(type, body);
    }
  }

  #readIdentity(response: JsonRecord | undefined): readonly AdapterEvent[] {
    return this.#identity.read(response?.model, response?.id);
  }

  #readEnd(status: string, response: JsonRecord): readonly AdapterEvent[] {
    const told = status === 'failed' ? [] : this.#output.readWhole(response.output);
    return this.#close([...this.#readIdentity(response), ...told, ...conclude({ ...response, status }, this.#output)]);
  }

  #refuse(body: JsonRecord): readonly AdapterEvent[] {
    return this.#close([{ type: 'failure', failure: openAiInBandFailure(asRecord(body.error) ?? body) }]);
  }

  #close(events: readonly AdapterEvent[]): readonly AdapterEvent[] {
    this.#isClosed = true;
    return events;
  }
}

/** Reads usage and status of a response that is at its end. */
function conclude(response: JsonRecord, output: ResponsesOutput): readonly AdapterEvent[] {
  const usage = responsesUsage(response.usage, response.service_tier);
  switch (response.status) {
    case 'completed':
      return [...output.finish(), ...usage, finishOf(output.finishReason(), 'completed'), { type: 'end' }];
    case 'incomplete': {
      const cause = wordOf(asRecord(response.incomplete_details)?.reason) ?? '';
      const reason = INCOMPLETE_REASONS.get(cause) ?? 'OTHER';
      return [...output.finish(), ...usage, finishOf(reason, `incomplete:${cause}`), { type: 'end' }];
    }
    case 'failed':
      return [...usage, { type: 'failure', failure: openAiInBandFailure(response.error) }];
    default:
      return MALFORMED;
  }
}

function isErrorAlone({ error, object }: JsonRecord): boolean {
  return object === 'error' || (error !== undefined && error !== null);
}

function finishOf(reason: FinishReason, raw: string): AdapterEvent {
  return { type: 'finish', reason, raw };
}
