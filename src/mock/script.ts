import type { MockAnswer } from './answer/made-up-answer.ts';
import type { AnswerScenario, Pace } from './answer/fault-catalogue.ts';
import { inRandomChunks } from './chunks.ts';
import type { Piece } from './chunks.ts';
import { successHeaders } from './wire/house-style.ts';
import type { House } from './wire/house-style.ts';
import { brokenError } from './network-errors.ts';
import type { MockCall } from './answer/asked-request.ts';
import type { Chance } from './shared/seeded.ts';
import { bytesOf, frameText } from './wire/format.ts';
import type { Frame, Wire, WireContext } from './wire/format.ts';

/** One thing that the mock does to its caller, `afterMs` milliseconds after the one before. */
export type Step = { readonly afterMs: number } & (
  | { readonly act: 'headers'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly act: 'data'; readonly bytes: Uint8Array }
  | { readonly act: 'end' }
  | { readonly act: 'error'; readonly error: Error }
);

/** What comes of a body: its pieces, and how it is over. `nothing`: it is not. */
interface Body {
  readonly pieces: readonly Piece[];
  readonly last: 'end' | 'error' | 'nothing';
}

/** How often a provider shows that it is still there, in milliseconds. */
const KEEP_ALIVE_MS = 5000;

/** How long an error takes, in milliseconds. */
const ERROR_MS = 5;

/** Plans an answer with its faults. */
export function planAnswer(
  call: MockCall,
  scenario: AnswerScenario,
  house: House,
  answer: MockAnswer,
  chance: Chance,
): readonly Step[] {
  const context: WireContext = { chance, ...call };
  const headers = successHeaders(house, call.streamed);
  const wholeMs = scenario.pace.firstTokenMs + answer.outputTokens * scenario.pace.tokenMs;
  const waitsFirst = !call.streamed && scenario.headersFirst !== true;
  const body = call.streamed
    ? streamedBody(scenario, house.wire, answer, context)
    : wholeBody(scenario, house.wire, house.wire.whole(answer, context), waitsFirst ? 0 : wholeMs);
  const chunks = inRandomChunks(body.pieces, chance);
  const steps: Step[] = [
    { afterMs: waitsFirst ? wholeMs : 0, act: 'headers', status: 200, headers },
    ...chunks.map((chunk): Step => ({ ...chunk, act: 'data' })),
  ];
  const sent = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (body.last === 'end') steps.push({ afterMs: 0, act: 'end' });
  if (body.last === 'error') steps.push({ afterMs: 0, act: 'error', error: brokenError(sent) });
  return steps;
}

/** Plans a whole body with any status. */
export function planReply(status: number, headers: Readonly<Record<string, string>>, body: string): readonly Step[] {
  return [
    { afterMs: ERROR_MS, act: 'headers', status, headers },
    { afterMs: 0, act: 'data', bytes: bytesOf(body) },
    { afterMs: 0, act: 'end' },
  ];
}

/** Plans a connection that fails before any answer. */
export function planNetworkError(error: Error): readonly Step[] {
  return [{ afterMs: ERROR_MS, act: 'error', error }];
}

function streamedBody(scenario: AnswerScenario, wire: Wire, answer: MockAnswer, context: WireContext): Body {
  const frames = wire.stream(answer, context);
  const bytes = (frame: Pick<Frame, 'name' | 'data'>): Uint8Array => bytesOf(frameText(wire.framing, frame));
  const play = (played: readonly Frame[]): Piece[] => atPace(played, scenario.pace, wire, bytes);
  if (scenario.broken === undefined) return { pieces: play(frames), last: 'end' };
  switch (scenario.broken) {
    case 'no_end':
      return { pieces: play(frames.filter((frame) => frame.role !== 'end')), last: 'end' };
    case 'stall':
      return { pieces: play(frames.slice(0, placeOf(frames, 1 / 2))), last: 'nothing' };
    case 'cut': {
      const pieces = play(frames.slice(0, placeOf(frames, 2 / 3) + 1));
      const torn = pieces.pop();
      if (torn !== undefined) pieces.push({ ...torn, bytes: torn.bytes.subarray(0, torn.bytes.length / 2) });
      return { pieces, last: 'error' };
    }
    case 'error': {
      const place = placeOf(frames, 1 / 2);
      return { pieces: play([...frames.slice(0, place), ...wire.midStreamError(answer, place, context)]), last: 'end' };
    }
    case 'malformed': {
      const place = placeOf(frames, 1 / 2);
      const spoil = (frame: Frame): Frame => ({ ...frame, data: frame.data.slice(0, frame.data.length / 2) });
      return { pieces: play(frames.map((frame, at) => (at === place ? spoil(frame) : frame))), last: 'end' };
    }
  }
}

function wholeBody(scenario: AnswerScenario, wire: Wire, text: string, waitMs: number): Body {
  const bytes = bytesOf(text);
  const body = (part: Uint8Array): readonly Piece[] => [
    ...keepAlives(waitMs, wire.wholeKeepAlive),
    { afterMs: restOf(waitMs, wire.wholeKeepAlive), bytes: part },
  ];
  if (scenario.broken === undefined) return { pieces: body(bytes), last: 'end' };
  switch (scenario.broken) {
    case 'cut':
      return { pieces: body(bytes.subarray(0, (bytes.length * 2) / 3)), last: 'error' };
    case 'stall':
      return { pieces: body(bytes.subarray(0, bytes.length / 2)), last: 'nothing' };
    case 'malformed':
      return { pieces: body(bytesOf(text.replace('"', ''))), last: 'end' };
    case 'no_end':
      return { pieces: body(bytesOf(text.slice(0, text.lastIndexOf('}')))), last: 'end' };
    case 'error':
      return { pieces: body(bytes), last: 'end' };
  }
}

/** The token that stands after a share of all tokens; without tokens, the end. */
function placeOf(frames: readonly Frame[], share: number): number {
  const tokens = frames.flatMap((frame, index) => (frame.role === 'token' ? [index] : []));
  return tokens[Math.floor(tokens.length * share)] ?? frames.findIndex((frame) => frame.role === 'end');
}

function atPace(
  frames: readonly Frame[],
  pace: Pace,
  wire: Wire,
  bytes: (frame: Pick<Frame, 'name' | 'data'>) => Uint8Array,
): Piece[] {
  let isFirst = true;
  const opening = wire.opening === undefined ? [] : [{ afterMs: 0, bytes: bytesOf(wire.opening) }];
  const pieces = frames.flatMap((frame) => {
    if (frame.role !== 'token') return [{ afterMs: 0, bytes: bytes(frame) }];
    const waitMs = isFirst ? pace.firstTokenMs : pace.tokenMs;
    isFirst = false;
    return [...keepAlives(waitMs, wire.keepAlive), { afterMs: restOf(waitMs, wire.keepAlive), bytes: bytes(frame) }];
  });
  return [...opening, ...pieces];
}

/** What is sent in a long wait. */
function keepAlives(waitMs: number, text: string | undefined): readonly Piece[] {
  if (text === undefined) return [];
  return Array.from({ length: pings(waitMs) }, () => ({ afterMs: KEEP_ALIVE_MS, bytes: bytesOf(text) }));
}

/** What is left of a wait after its keep-alives. */
function restOf(waitMs: number, text: string | undefined): number {
  return text === undefined ? waitMs : waitMs - pings(waitMs) * KEEP_ALIVE_MS;
}

function pings(waitMs: number): number {
  return Math.max(0, Math.ceil(waitMs / KEEP_ALIVE_MS) - 1);
}
