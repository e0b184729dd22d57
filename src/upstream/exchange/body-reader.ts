import type { Failure } from '../../core/failure.ts';
import { exceedsJsonBounds } from '../../core/json-bounds.ts';
import type { Adapter, AdapterEvent, ErrorResponse, EventReader, WireEvent } from '../../providers/port/adapter.ts';
import type { Framing } from './framing.ts';
import { JoinedEvents } from './joined-events.ts';
import { RepeatedEvents } from './repeated-events.ts';
import { keptBytes } from '../network/lent-bytes.ts';
import { failureOf, notUtf8, protocolFailure, tooLarge, unmarkedEnd } from '../port/answer-failures.ts';

const NOTHING: readonly AdapterEvent[] = [];

/** Turns the body of one response into the adapter's events. Throws a FailureError where the body cannot be read. */
export interface BodyReader {
  push(chunk: Uint8Array): readonly AdapterEvent[];
  /** Says that the body is complete. */
  end(): readonly AdapterEvent[];
  /** Says that the connection broke within the body, with the failure that stands for it; returns the one that counts. */
  broken(failure: Failure): Failure;
  /** Returns the failure of a body that has ended without a terminal marker (engine rule X3). */
  unfinished(): Failure;
}

/** The body of a response whose head has not come. */
export const NO_BODY: BodyReader = {
  push: () => [],
  end: () => [],
  broken: (failure) => failure,
  unfinished: () => failureOf(new Error('a body came before its head')),
};

/** Reads a stream of events. */
export function createEventBody(framing: Framing, reader: EventReader): BodyReader {
  let count = 0;
  const read = (events: readonly WireEvent[]): readonly AdapterEvent[] => {
    count += events.length;
    const [only] = events;
    if (events.length === 1 && only !== undefined) return reader(only);
    const told = new JoinedEvents();
    for (const event of events) told.add(reader(event));
    return told.end();
  };
  const repeated = reader.repeated && new RepeatedEvents(reader.repeated, (text) => read(framing.feed(text)));
  return {
    push: (chunk) => repeated?.take(framing.decode(chunk)) ?? read(framing.push(chunk)),
    end: () => read(framing.end()),
    broken: (failure) => failure,
    unfinished: () =>
      count === 0 && !framing.endedWithinEvent
        ? protocolFailure('The stream of the provider was empty.').failure
        : unmarkedEnd(),
  };
}

/** Reads a whole JSON body. */
export class JsonBody implements BodyReader {
  readonly #maxBytes: number;
  readonly #reader: EventReader;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  /**
   * @param maxBytes of the body
   * @param reader gets its text as one event
   */
  constructor(maxBytes: number, reader: EventReader) {
    this.#maxBytes = maxBytes;
    this.#reader = reader;
  }

  push(chunk: Uint8Array): readonly AdapterEvent[] {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) throw tooLarge();
    this.#chunks.push(keptBytes(chunk));
    return NOTHING;
  }

  end(): readonly AdapterEvent[] {
    return this.#reader({ name: '', data: decode(this.#chunks) });
  }

  broken(failure: Failure): Failure {
    return failure;
  }

  unfinished(): Failure {
    return protocolFailure('The answer of the provider is not complete.').failure;
  }
}

/** Makes the reader that {@link JsonBody} needs of an adapter. */
export function readJsonWith(adapter: Pick<Adapter, 'response'>): EventReader {
  return ({ data }) => adapter.response(parse(data), data);
}

/**
 * Reads the body of an error status: at most `maxBytes`, whatever follows. However the body ends, the status counts; text that
 * is not UTF-8 is read as well as it can be.
 */
export function createErrorBody(maxBytes: number, classify: (body: ErrorResponse['body']) => Failure): BodyReader {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const failure = (): Failure => classify(Buffer.concat(chunks).subarray(0, maxBytes).toString('utf8'));
  return {
    push: (chunk) => {
      chunks.push(keptBytes(chunk));
      size += chunk.length;
      return size >= maxBytes ? [{ type: 'failure', failure: failure() }] : [];
    },
    end: () => [{ type: 'failure', failure: failure() }],
    broken: failure,
    unfinished: failure,
  };
}

/** Decodes whole texts alone, so that nothing is left in it from one to the next. */
const WHOLE_TEXT = new TextDecoder('utf-8', { fatal: true });

function decode(chunks: readonly Uint8Array[]): string {
  const [only] = chunks;
  try {
    return WHOLE_TEXT.decode(chunks.length === 1 ? only : Buffer.concat(chunks));
  } catch (cause) {
    throw notUtf8(cause);
  }
}

function parse(text: string): unknown {
  if (exceedsJsonBounds(text)) throw protocolFailure('The provider sent JSON that is nested too deeply.');
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which may hold what nobody should read in a log.
    throw protocolFailure('The answer of the provider is not valid JSON.');
  }
}
