import type { ChaosStep } from './chaos-upstream.ts';
import { chunk, head, respond, send, lastChunk } from './chaos-upstream.ts';
import type { Method } from './failover-stage.ts';
import { completion, errorAnswer, ROLE_EVENT, STREAM_HEAD } from './openai-bodies.ts';

/** Something that goes wrong on the first target before any output. */
export interface Fault {
  readonly name: string;
  /** What the upstream does with one request after the other. */
  readonly script: readonly (readonly ChaosStep[])[];
  /** Outcome of each attempt on the first target. */
  readonly outcomes: readonly string[];
  readonly httpStatus?: number;
  /** Whether the provider says nothing at all, so that only a timer ends the attempt. */
  readonly isSilence?: boolean;
  /** The call that can meet this fault; both where absent. */
  readonly only?: Method;
}

/** Closes the connection with an RST. */
export const RESET: ChaosStep = { do: 'reset' };

const CUT = completion('never whole').slice(0, 80);

/** Every kind of fault that the caller never notices but in the trail. */
export const FAULTS: readonly Fault[] = [
  { name: 'a reset before headers, twice', script: [[RESET], [RESET]], outcomes: twice('PROVIDER_UNAVAILABLE') },
  {
    name: 'status 500, twice',
    script: [errorAnswer(500, null), errorAnswer(500, null)],
    outcomes: twice('PROVIDER_UNAVAILABLE'),
    httpStatus: 500,
  },
  {
    name: 'status 429 without Retry-After',
    script: [errorAnswer(429, 'rate_limit_exceeded')],
    outcomes: ['PROVIDER_RATE_LIMITED'],
    httpStatus: 429,
  },
  {
    name: 'status 429 with a short Retry-After, twice',
    script: [rateLimit({ 'retry-after-ms': '30' }), rateLimit({ 'retry-after-ms': '30' })],
    outcomes: twice('PROVIDER_RATE_LIMITED'),
    httpStatus: 429,
  },
  {
    name: 'status 429 with a long Retry-After',
    script: [rateLimit({ 'retry-after': '20' })],
    outcomes: ['PROVIDER_RATE_LIMITED'],
    httpStatus: 429,
  },
  {
    name: 'status 401',
    script: [errorAnswer(401, 'invalid_api_key')],
    outcomes: ['PROVIDER_AUTH_FAILED'],
    httpStatus: 401,
  },
  {
    name: 'status 402',
    script: [errorAnswer(402, null)],
    outcomes: ['PROVIDER_QUOTA_EXHAUSTED'],
    httpStatus: 402,
  },
  {
    name: 'status 404 for the configured model',
    script: [errorAnswer(404, 'model_not_found')],
    outcomes: ['PROVIDER_MODEL_NOT_FOUND'],
    httpStatus: 404,
  },
  {
    name: 'status 200 with HTML',
    script: [[respond(200, 'text/html', '<html><body>Welcome</body></html>')]],
    outcomes: ['PROVIDER_PROTOCOL_ERROR'],
    httpStatus: 200,
  },
  {
    name: 'truncated JSON in a whole body',
    script: [[respond(200, 'application/json', CUT)]],
    outcomes: ['PROVIDER_PROTOCOL_ERROR'],
    httpStatus: 200,
  },
  {
    name: 'JSON cut off with the connection, which may be paid',
    script: [cutJson()],
    outcomes: ['PROVIDER_UNAVAILABLE'],
    httpStatus: 200,
    only: 'Chat',
  },
  {
    name: 'a stream that is reset before its first token, twice',
    script: [cutStream(RESET), cutStream(RESET)],
    outcomes: twice('PROVIDER_UNAVAILABLE'),
    httpStatus: 200,
    only: 'StreamChat',
  },
  {
    name: 'a stream that ends before its first token, twice',
    script: [cutStream(lastChunk), cutStream(lastChunk)],
    outcomes: twice('PROVIDER_UNAVAILABLE'),
    httpStatus: 200,
    only: 'StreamChat',
  },
  {
    name: 'a malformed first event',
    script: [[STREAM_HEAD, chunk('data: {"choices": [\n\n'), { do: 'await_close' }]],
    outcomes: ['PROVIDER_PROTOCOL_ERROR'],
    httpStatus: 200,
    only: 'StreamChat',
  },
  {
    name: 'an error as the first event',
    script: [inBand(), inBand()],
    outcomes: twice('PROVIDER_UNAVAILABLE'),
    httpStatus: 200,
    only: 'StreamChat',
  },
  {
    name: 'silence before headers',
    script: [[{ do: 'await_close' }]],
    outcomes: ['PROVIDER_TIMEOUT'],
    isSilence: true,
  },
  {
    name: 'silence after a beginning that is no output',
    script: [[STREAM_HEAD, chunk(ROLE_EVENT), { do: 'await_close' }]],
    outcomes: ['PROVIDER_TIMEOUT'],
    isSilence: true,
    httpStatus: 200,
    only: 'StreamChat',
  },
];

/** Makes a rate limit with headers. */
export function rateLimit(headers: Readonly<Record<string, string>>): readonly ChaosStep[] {
  return errorAnswer(429, 'rate_limit_exceeded', headers);
}

function twice(outcome: string): readonly string[] {
  return [outcome, outcome];
}

function cutJson(): readonly ChaosStep[] {
  return [head(200, { 'content-type': 'application/json', 'content-length': 4000 }), send(CUT), { do: 'end' }];
}

function cutStream(end: ChaosStep): readonly ChaosStep[] {
  return [STREAM_HEAD, chunk(ROLE_EVENT), end];
}

function inBand(): readonly ChaosStep[] {
  const error = { message: 'Words of the provider.', type: 'server_error', code: null };
  return [STREAM_HEAD, chunk(`data: ${JSON.stringify({ error })}\n\n`), { do: 'await_close' }];
}
