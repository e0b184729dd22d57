import type { ConnectError } from '@connectrpc/connect';
import type { CallFailure } from '../../engine/port/call.ts';
import { MAX_FIELDS, MAX_NESTING, MAX_TEXT_BYTES } from '../port/limits.ts';
import { callError, type ErrorContext } from './status.ts';

const MIB = 1024 * 1024;
const COME_AGAIN_MS = 1_000;

/** What a message may do that it may not. */
export type TransferFault =
  | 'over_budget'
  | 'too_large'
  | 'expands_too_much'
  | 'too_many_fields'
  | 'too_deep'
  | 'too_much_text'
  | 'too_slow'
  | 'no_turn';

const FAILURES = {
  over_budget: {
    status: 'UNAVAILABLE',
    reason: 'OVERLOADED',
    message: 'The gateway holds as many bytes of requests and answers as it can.',
    retryAfterMs: COME_AGAIN_MS,
  },
  too_large: tooLarge('The request is larger than allowed.'),
  expands_too_much: tooLarge('The compressed request expands to more than is allowed.'),
  too_much_text: tooLarge(`A request may have at most ${MAX_TEXT_BYTES / MIB} MiB besides its attachments.`),
  too_many_fields: invalid(`A request may have at most ${MAX_FIELDS} fields, those of its messages included.`),
  too_deep: invalid(`A request may be nested at most ${MAX_NESTING} deep.`),
  too_slow: { status: 'DEADLINE_EXCEEDED', reason: 'DEADLINE', message: 'The request did not arrive in time.' },
  no_turn: {
    status: 'UNAVAILABLE',
    reason: 'OVERLOADED',
    message: 'The gateway has too much to do.',
    retryAfterMs: COME_AGAIN_MS,
  },
} as const satisfies Record<TransferFault, Omit<CallFailure, 'contacted'>>;

/** Makes the error of a request that is refused for what it takes, before anybody looks at what it says. */
export function transferError(fault: TransferFault, context: ErrorContext): ConnectError {
  return callError({ ...FAILURES[fault], contacted: false }, context);
}

/** What the caller of an answer is told that is larger than a message may be: it has cost money, and would do so again. */
export function answerTooLarge(): CallFailure {
  return { ...tooLarge('The answer is larger than a message may be.'), contacted: true };
}

function tooLarge(message: string) {
  return { status: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE', message } as const;
}

function invalid(message: string) {
  return { status: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', message } as const;
}
