import type { ChaosRequest } from '../chaos-request.ts';
import type { ChaosStep } from '../chaos-upstream.ts';
import { chunk, head, lastChunk, respond, send } from '../chaos-upstream.ts';
import { STREAM_HEAD } from '../openai-bodies.ts';
import type { WireForm } from './wire-forms.ts';

/** What an upstream knows when it is asked. */
export interface AskedUpstream {
  readonly form: WireForm;
  readonly streams: boolean;
  /** From 1. */
  readonly attempt: number;
  /** Milliseconds since the upstream began. */
  readonly atMs: number;
  /** Whether the prompt ends with words of the assistant. */
  readonly isPrefilled: boolean;
  /** The step that lets time pass: virtual, or real. */
  readonly wait: (ms: number) => ChaosStep;
}

/** Reads what a request asks for. */
export function readAsked(request: ChaosRequest): Pick<AskedUpstream, 'streams' | 'isPrefilled'> {
  const body: object = Object(JSON.parse(request.body));
  // Of either API; Responses may have a mere text.
  const messages: unknown = Reflect.get(body, 'messages') ?? Reflect.get(body, 'input');
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  const isPrefilled = Reflect.get(Object(last), 'role') === 'assistant';
  return { streams: Reflect.get(body, 'stream') === true, isPrefilled };
}

/** What an upstream answers. */
export type BenchAnswer = (asked: AskedUpstream) => readonly ChaosStep[];

/** The answer of the sick target where it gives one: sixty words. */
export const LEAD_WORDS = numbered('lead');
/** The answer of the healthy one: no word of it is in the other, so that a seam shows. */
export const SECOND_WORDS = numbered('second');

/** The text that a caller gets of some words. */
export function textOfWords(words: readonly string[]): string {
  return words.join(' ');
}

/** A whole answer, as the call asks for it. */
export function whole(asked: AskedUpstream, words: readonly string[] = LEAD_WORDS): readonly ChaosStep[] {
  if (!asked.streams) return [respond(200, 'application/json', asked.form.json(textOfWords(words)))];
  return streamed(asked, { of: words });
}

/** How a stream goes. */
export interface StreamPlan {
  /** The words of the whole answer. */
  readonly of?: readonly string[];
  /** How many of them are said; fewer leave the end marker out. */
  readonly words?: number;
  /** Between the head and the first event. */
  readonly beforeWords?: readonly ChaosStep[];
  readonly end?: string;
  /** Behind what was said, in place of the end of the body. */
  readonly last?: readonly ChaosStep[];
}

/** A stream that goes as planned. */
export function streamed({ form: { stream } }: AskedUpstream, plan: StreamPlan): readonly ChaosStep[] {
  const { of = LEAD_WORDS, words = of.length, beforeWords = [], end = stream.end, last = [lastChunk] } = plan;
  const said = of.slice(0, words).map((word, index) => chunk(stream.say(index === 0 ? word : ` ${word}`)));
  const marker = words < of.length ? [] : [chunk(end)];
  return [STREAM_HEAD, ...beforeWords, chunk(stream.startup), ...said, ...marker, ...last];
}

/** Garbage for the tenth event, then the rest. */
export function malformed(asked: AskedUpstream): readonly ChaosStep[] {
  const { malformed: garbage, say, end } = asked.form.stream;
  const rest = LEAD_WORDS.slice(10).map((word) => chunk(say(` ${word}`)));
  return streamed(asked, { words: 10, last: [chunk(garbage), ...rest, chunk(end), lastChunk] });
}

/** The first three fifths of the answer, and the end of the connection. */
export function cutJson({ form }: AskedUpstream): readonly ChaosStep[] {
  const body = form.json(textOfWords(LEAD_WORDS));
  return [jsonHead(Buffer.byteLength(body)), send(body.slice(0, body.length * 0.6)), { do: 'end' }];
}

/** Half the answer, with a word in place of the rest. */
export function malformedJson({ form }: AskedUpstream): readonly ChaosStep[] {
  const body = form.json(textOfWords(LEAD_WORDS));
  return [respond(200, 'application/json', `${body.slice(0, body.length / 2)}"oops`)];
}

/** The head of an answer of so many bytes. */
export function jsonHead(bytes: number): ChaosStep {
  return head(200, { 'content-type': 'application/json', 'content-length': bytes });
}

/** The end of a stream, without the marker that Chat Completions have behind it. */
export function withoutDone(end: string): string {
  return end.replace('data: [DONE]\n\n', '');
}

function numbered(name: string): readonly string[] {
  return Array.from({ length: 60 }, (_, index) => `${name}-${index + 1}`);
}
