import type { Adapter, EventReader } from '../../providers/port/adapter.ts';
import { withAnswerLimit } from './answer-limit.ts';
import { createErrorBody, createEventBody, JsonBody, readJsonWith } from './body-reader.ts';
import type { BodyReader } from './body-reader.ts';
import { createFraming } from './framing.ts';
import type { FramingLimits } from './framing.ts';
import { protocolFailure } from '../port/answer-failures.ts';
import { SniffedBody, createStreamOrJson } from './sniffed-body.ts';

/** Bounds of a body. */
export interface BodyLimits extends FramingLimits {
  /** Bytes of the body of an error status that are read; default 64 Ki. */
  readonly errorBodyBytes: number;
  /** Bytes of a whole JSON body; default 32 Mi. */
  readonly jsonBodyBytes: number;
  /** Size of a streamed answer, as {@link withAnswerLimit} reckons it; default 64 Mi, twice the longest of any model. */
  readonly answerBytes: number;
}

/** The head of a response, and all that the choice of its reader depends on. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly adapter: Adapter;
  readonly stream: boolean;
  readonly wrapReader?: ((reader: EventReader) => EventReader) | undefined;
  readonly limits: BodyLimits;
  /** Returns milliseconds since the epoch. */
  readonly wall: () => number;
}

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json$/;
const STREAM_TYPE = /^(?:text\/event-stream|application\/(?:x-)?(?:ndjson|jsonl|json-lines|jsonlines))$/;

/**
 * Chooses how a body is read: errors by their status, a success by its content-type, whatever was asked for; without one, by
 * what was asked for. Where the body begins as the other form, it is read as that; so is one of any other type, which is a
 * FailureError of class `protocol` where it begins as neither (class C15).
 */
export function chooseBody(head: ResponseHead): BodyReader {
  const { status, headers, adapter, limits } = head;
  if (status < 200 || status > 299) {
    return createErrorBody(limits.errorBodyBytes, (body) => {
      const failure = adapter.failure({ status, headers, body, wallMs: head.wall() });
      // Redirects are not followed, and the same request meets the same one again (class C15).
      return status >= 300 && status <= 399 ? { ...failure, repeatIsUseless: true } : failure;
    });
  }
  const wrap = head.wrapReader ?? ((reader: EventReader): EventReader => reader);
  const stream = (): BodyReader => {
    const framing = createFraming(adapter.framing, { eventChars: limits.eventChars });
    return createEventBody(framing, withAnswerLimit(wrap(adapter.events()), limits.answerBytes));
  };
  const json = (): BodyReader => new JsonBody(limits.jsonBodyBytes, wrap(readJsonWith(adapter)));
  const said = saidForm(headers['content-type']) ?? (head.stream ? 'stream' : 'json');
  if (adapter.framing === 'ndjson') return said === 'stream' || (said === 'other' && head.stream) ? stream() : json();
  if (said === 'stream') return createStreamOrJson(stream(), json);
  return new SniffedBody((form) => {
    if (form === 'sse') return stream();
    if (form === 'other' && said === 'other') throw neitherForm();
    return json();
  });
}

/** What a content-type says of a body; undefined where there is none. */
function saidForm(contentType: string | undefined): 'json' | 'stream' | 'other' | undefined {
  if (contentType === 'application/json') return 'json';
  // Proxies repeat the header now and then; parameters do not matter.
  const type = contentType?.split(/[;,]/, 1)[0]?.trim().toLowerCase() ?? '';
  if (type === '') return undefined;
  if (STREAM_TYPE.test(type)) return 'stream';
  return JSON_TYPE.test(type) ? 'json' : 'other';
}

function neitherForm(): Error {
  return protocolFailure('The provider answered with a type of content that is neither JSON nor an event stream.');
}
