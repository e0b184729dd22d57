import type { FinishReason } from '../../../core/answer.ts';
import type { Failure } from '../../../core/failure.ts';
import type { AdapterEvent, EventReader, WireEvent } from '../../port/adapter.ts';
import { Identity } from '../../shared/identity.ts';
import { JsonSource } from '../../shared/json/source-text.ts';
import { isSaid } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord, parseJson, textOf, wordOf } from '../../shared/json/value.ts';
import { failureOfText, inPlaceOfAnswer, refusedInBand } from '../../shared/errors/refusal-failure.ts';
import { providerFailure } from '../../shared/provider-failure.ts';
import { finishEvent } from '../../shared/reading/finish-event.ts';
import { endingOf } from '../../shared/reading/finish-words.ts';
import { DONE, gluedDocuments } from '../../shared/reading/glued-documents.ts';
import { upToFailure } from '../../shared/reading/up-to-failure.ts';
import { responsesUsage } from '../shared/token-usage.ts';
import { ResponsesOutput } from './output-items.ts';

const MALFORMED: Failure = providerFailure('protocol');

/** Statuses of a response that is not made yet. */
const UNDER_WAY: ReadonlySet<unknown> = new Set(['queued', 'in_progress']);

/**
 * Reads a whole answer of the Responses API; `text` is the body. An answer that is still being made (`queued`, `in_progress`)
 * is none: it is a failure of class `protocol`. One that does not say how it ended has ended with its body, with reason OTHER.
 */
export function responsesResponse(json: unknown, text?: string): readonly AdapterEvent[] {
  const body = asRecord(json);
  if (body === undefined) return failed(MALFORMED);
  // A success has `error: null`; some gateways answer with an error object alone.
  if (!Array.isArray(body.output)) {
    return isSaid(body.error) ? failed(refusedInBand(body.error)) : inPlaceOfAnswer(body);
  }
  const source = new JsonSource();
  source.read(text, body);
  const output = new ResponsesOutput(source);
  const told = [...new Identity().read(body.model, body.id), ...output.readWhole(body.output)];
  const events = upToFailure([...told, ...conclude(body, output)]);
  const last = events.at(-1);
  return last?.type === 'failure' ? events.filter(({ type }) => type === 'usage' || type === 'failure') : events;
}

/**
 * Makes a reader for a streamed answer of the Responses API. It ends with `response.completed`, `response.incomplete` or
 * `response.failed`; without one of them it is truncated. Events of tools that run at the provider are ignored.
 */
export function responsesEvents(): EventReader {
  const reader = new ResponsesReader();
  return (event) => reader.readEvent(event);
}

class ResponsesReader {
  readonly #source = new JsonSource();
  readonly #output = new ResponsesOutput(this.#source);
  readonly #identity = new Identity();
  #isClosed = false;

  readEvent(event: WireEvent): readonly AdapterEvent[] {
    const data = event.data.trim();
    // `[DONE]` is sent by some servers, and is no terminal marker of this API.
    if (this.#isClosed || data === '' || data === DONE) return NOTHING;
    const parsed = parseJson(data);
    if (parsed === null) return NOTHING;
    const body = asRecord(parsed);
    if (body === undefined) return this.#readGlued(event.name, data);
    this.#source.read(data, body);
    const events = this.#read(event.name === 'error' ? event.name : textOf(body.type) || event.name, body);
    for (const { type } of events) if (type === 'failure' || type === 'end') this.#isClosed = true;
    return this.#isClosed ? upToFailure(events) : events;
  }

  #read(type: string, body: JsonRecord): readonly AdapterEvent[] {
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.#readIdentity(asRecord(body.response));
      case 'response.completed':
      case 'response.done':
        return this.#readEnd(asRecord(body.response) ?? {}, 'completed');
      case 'response.incomplete':
      case 'response.failed':
      case 'response.cancelled':
        return this.#readEnd({ ...asRecord(body.response), status: type.slice('response.'.length) }, 'completed');
      case 'error':
      case 'response.error':
        return failed(refusedInBand(isSaid(body.error) ? body.error : body));
      default:
        // Some servers send the object of an error alone, with a type of its own; tools that fail there have events of this API.
        if (!type.startsWith('response.') && isErrorAlone(body))
          return failed(refusedInBand(isSaid(body.error) ? body.error : body));
        return this.#output.readEvent(type, body);
    }
  }

  #readGlued(name: string, data: string): readonly AdapterEvent[] {
    const documents = gluedDocuments(data);
    if (documents !== undefined) {
      return upToFailure(documents.flatMap((document) => this.readEvent({ name, data: document })));
    }
    this.#isClosed = true;
    return failed(failureOfText(name, data));
  }

  #readIdentity(response: JsonRecord | undefined): readonly AdapterEvent[] {
    return this.#identity.read(response?.model, response?.id);
  }

  /** The event says that the response has ended; how, its own status says better: some servers complete what is incomplete. */
  #readEnd(response: JsonRecord, usual: string): readonly AdapterEvent[] {
    const { status } = response;
    const ended = { ...response, status: ENDS.has(status) ? status : usual };
    const told = ended.status === 'failed' ? NOTHING : this.#output.readWhole(response.output);
    return [...this.#readIdentity(response), ...told, ...conclude(ended, this.#output)];
  }
}

/** Statuses of a response that has ended. */
const ENDS: ReadonlySet<unknown> = new Set(['completed', 'incomplete', 'failed', 'cancelled']);

const NOTHING: readonly AdapterEvent[] = [];

/** Reads usage and status of a response that is at its end. */
function conclude(response: JsonRecord, output: ResponsesOutput): readonly AdapterEvent[] {
  const { status } = response;
  const usage = responsesUsage(response.usage, response.service_tier);
  if (status === 'completed') return finished(output, usage, output.finishReason(), 'completed', true);
  if (status === 'incomplete') {
    const details = asRecord(response.incomplete_details)?.reason ?? response.incomplete_details;
    const ending = endingOf(details);
    const raw = `incomplete:${wordOf(details) ?? ''}`;
    return ending.type === 'known'
      ? finished(output, usage, ending.reason, raw, true)
      : finished(output, usage, 'OTHER', raw, false);
  }
  if (status === 'failed' || status === 'cancelled' || isSaid(response.error)) {
    const error = isSaid(response.error)
      ? response.error
      : (asRecord(response.status_details)?.error ?? { code: status });
    return [...usage, { type: 'failure', failure: refusedInBand(error) }];
  }
  if (UNDER_WAY.has(status) || (output.isEmpty && !output.hasUnknown)) return failed(MALFORMED);
  return finished(output, usage, 'OTHER', wordOf(status) ?? '', false);
}

function finished(
  output: ResponsesOutput,
  usage: readonly AdapterEvent[],
  reason: FinishReason,
  raw: string,
  isKnown: boolean,
): readonly AdapterEvent[] {
  const ended = output.finish();
  return [...ended, ...usage, finishEvent({ reason, raw, isKnown, hasUnknown: output.hasUnknown }), { type: 'end' }];
}

function failed(failure: Failure): readonly AdapterEvent[] {
  return [{ type: 'failure', failure }];
}

function isErrorAlone({ error, object }: JsonRecord): boolean {
  return object === 'error' || isSaid(error);
}
