import { createParser } from 'eventsource-parser';

import { exceedsJsonBounds } from '../../core/json-bounds.ts';
import type { Adapter, WireEvent } from '../../providers/port/adapter.ts';
import { notUtf8, protocolFailure } from '../port/answer-failures.ts';
import { ErrorLines, errorInLine } from './error-lines.ts';

/** What a framing takes before it calls a stream broken. */
export interface FramingLimits {
  /** Characters of one line or event that is not complete yet; default 8 Mi. */
  readonly eventChars: number;
}

/** Cuts the bytes of a stream into events. Throws a FailureError of class `protocol`, after which it must not be used. */
export interface Framing {
  /** Takes a piece of the body, cut anywhere, and returns the events that it completes. */
  push(chunk: Uint8Array): readonly WireEvent[];
  /** The first half of it: returns the text of a piece of the body. */
  decode(chunk: Uint8Array): string;
  /** The second half: takes a piece of the text, cut anywhere. */
  feed(text: string): readonly WireEvent[];
  /** Says that the body has ended, and returns the event that only its end completes. */
  end(): readonly WireEvent[];
  /** Whether the body ended within an event, which was then left out. */
  readonly endedWithinEvent: boolean;
}

/** The limits where nobody sets others. */
export const DEFAULT_FRAMING_LIMITS: FramingLimits = { eventChars: 8 * 1024 * 1024 };

/**
 * Makes the framing of one stream: Server-Sent Events after the HTML standard, or one JSON document per line. Both refuse
 * what is not UTF-8, and leave out an event that the end of the body cut off. An event that lacks nothing but the empty line
 * behind it is one where its data are a whole JSON object or an end marker.
 */
export function createFraming(framing: Adapter['framing'], limits: Partial<FramingLimits> = {}): Framing {
  const resolved = { ...DEFAULT_FRAMING_LIMITS, ...limits };
  return FRAMINGS[framing](resolved);
}

const FRAMINGS = { sse: createSse, ndjson: createNdjson } as const satisfies Record<
  Adapter['framing'],
  (limits: FramingLimits) => Framing
>;

function createSse({ eventChars }: FramingLimits): Framing {
  const decode = createDecoder();
  const errorLines = new ErrorLines();
  let events: WireEvent[] = [];
  const parser = createParser({
    maxBufferSize: eventChars,
    onEvent: ({ event, data }) => void events.push({ name: event ?? '', data }),
    // Unknown fields and odd `retry` values are ignored, as the standard asks, but for an error where data belong.
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw tooLong();
      const said = error.type === 'unknown-field' ? errorInLine(error) : undefined;
      if (said !== undefined) events.push({ name: 'error', data: said });
    },
  });
  const parse = (text: string): readonly WireEvent[] => {
    parser.feed(text);
    const complete = events;
    events = [];
    return complete;
  };
  const feed = (text: string): readonly WireEvent[] => parse(errorLines.take(text));
  // A getter would cost each stream more than all of the rest: V8 cannot share what it knows of such objects.
  const framing = {
    endedWithinEvent: false,
    push: (chunk: Uint8Array) => feed(decode.push(chunk)),
    decode: decode.push,
    feed,
    end: () => {
      const cut = decode.end();
      // A blank line would have completed what is pending; the first line feed may only be the half of a `\r\n`.
      const pending = parse(`${errorLines.rest()}\n\n\n`);
      const whole = cut ? [] : pending.filter(({ data }) => isWhole(data));
      framing.endedWithinEvent = cut || whole.length < pending.length;
      return whole;
    },
  };
  return framing;
}

function createNdjson({ eventChars }: FramingLimits): Framing {
  const decode = createDecoder();
  // Fragments are joined once per line: joining per chunk takes quadratic time for a long line in small pieces.
  let fragments: string[] = [];
  let held = 0;
  const take = (rest: string): string => {
    const line = fragments.length === 0 ? rest : fragments.join('') + rest;
    fragments = [];
    held = 0;
    return line.trim();
  };
  const feed = (text: string): readonly WireEvent[] => {
    const events: WireEvent[] = [];
    let from = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      if (held + at - from > eventChars) throw tooLong();
      const line = take(text.slice(from, at));
      if (line !== '') events.push({ name: '', data: line });
      from = at + 1;
    }
    if (from < text.length) fragments.push(text.slice(from));
    held += text.length - from;
    if (held > eventChars) throw tooLong();
    return events;
  };
  const framing = {
    endedWithinEvent: false,
    push: (chunk: Uint8Array) => feed(decode.push(chunk)),
    decode: decode.push,
    feed,
    end: () => {
      const cut = decode.end();
      const line = take('');
      if (line === '' && !cut) return [];
      // The last line may lack its line feed; half a document is no last line but a body that was cut off.
      if (!cut && isJson(line)) return [{ name: '', data: line }];
      framing.endedWithinEvent = true;
      return [];
    },
  };
  return framing;
}

/** Ends streams of OpenAI's APIs; some servers glue it to their last event. */
const END_MARKER = '[DONE]';

/** Whether the data of an event are all of it: end markers, and JSON objects, of which no beginning is one itself. */
function isWhole(data: string): boolean {
  return isWholeLine(data) || data.split('\n').every(isWholeLine);
}

function isWholeLine(line: string): boolean {
  const text = line.trim();
  const front = text.endsWith(END_MARKER) ? text.slice(0, -END_MARKER.length).trim() : text;
  return text !== '' && (front === '' || (front.startsWith('{') && isJson(front)));
}

interface Decoder {
  readonly push: (chunk: Uint8Array) => string;
  /** Returns whether the body ended within a character. */
  end(): boolean;
}

function createDecoder(): Decoder {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  return {
    push: (chunk) => {
      try {
        return decoder.decode(chunk, { stream: true });
      } catch (cause) {
        throw notUtf8(cause);
      }
    },
    end: () => {
      try {
        decoder.decode();
        return false;
      } catch {
        return true;
      }
    },
  };
}

/** What is beyond the bounds of what is parsed counts as JSON: its reader refuses it. */
function isJson(text: string): boolean {
  if (exceedsJsonBounds(text)) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function tooLong(): Error {
  return protocolFailure('The provider sent an event that is longer than allowed.');
}
