import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import {
  type GetUsageRequest,
  type GetUsageResponse,
  GetUsageResponseSchema,
  type ListAttemptsRequest,
  type ListAttemptsResponse,
  ListAttemptsResponseSchema,
  type UsageRow,
  type UsageService,
} from '../../../gen/understudy/v1/usage_service_pb.ts';
import { FailureError, type FailureReason } from '../../core/failure.ts';
import type { UsageQueries } from '../../ledger/port/usage-queries.ts';
import { asConnectError, callError, type ErrorContext, invalidRequest } from '../errors/status.ts';
import { CALLER } from '../port/caller-key.ts';
import { chooseRequestId, isRequestId, MAX_REQUEST_ID_LENGTH, REQUEST_ID_HEADER } from '../port/limits.ts';
import type { UsageAudience, UsageParts } from '../port/usage-parts.ts';
import type { Violation } from '../port/violations.ts';
import { writePageToken } from './page-token.ts';
import { readQuestion, type UsageQuestion } from './question.ts';
import { toldAttempt, toldUsage } from './told-usage.ts';

/** Rows are told up to so many characters of their keys, so that clients with a limit of 4 MiB can read a page. */
const MAX_KEY_CHARACTERS = 1_000_000;

/**
 * Makes the handlers of UsageService. They throw a ConnectError, which names all fields where the request is wrong.
 *
 * @param audience a function is asked for each call
 */
export function createUsageHandlers(
  parts: UsageParts,
  audience: UsageAudience | (() => UsageAudience),
): ServiceImpl<typeof UsageService> {
  const answer = async <Response>(
    context: HandlerContext,
    ask: (queries: UsageQueries, caller: string | undefined, errors: ErrorContext) => Promise<Response>,
  ): Promise<Response> => {
    const requestId = chooseRequestId('', context.requestHeader.get(REQUEST_ID_HEADER), parts.newRequestId);
    context.responseHeader.set(REQUEST_ID_HEADER, requestId);
    const errors = { requestId, random: parts.random };
    try {
      const caller = callerOf(context, typeof audience === 'function' ? audience() : audience);
      return await untilAborted(ask(presentLedger(parts), caller, errors), context.signal);
    } catch (thrown) {
      throw asConnectError(thrown, false, errors);
    }
  };
  return {
    getUsage: (request, context) =>
      answer(context, (queries, caller, errors) => getUsage(request, { queries, caller, errors, parts })),
    listAttempts: (request, context) =>
      answer(context, (queries, caller, errors) => listAttempts(request, queries, caller, errors)),
  };
}

/** Returns the ledger. Throws a FailureError where there is none, naming the setting. */
export function presentLedger({ queries }: UsageParts): UsageQueries {
  if (queries !== undefined) return queries;
  throw refused('LEDGER_NOT_CONFIGURED', 'The gateway keeps no ledger; `ledger` in its configuration says where.');
}

/** Asks the ledger. Throws a FailureError that says nothing of it where it does not answer. */
export async function askLedger<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (cause) {
    throw ledgerFailure(cause);
  }
}

/** Makes what is told of a ledger that does not answer. */
export function ledgerFailure(cause: unknown): FailureError {
  const message = 'The ledger does not answer, or not in time; to ask for a shorter period takes less.';
  return new FailureError({ class: 'local_refusal', reason: 'LEDGER_UNAVAILABLE', message, cause });
}

interface Asked {
  readonly queries: UsageQueries;
  readonly caller: string | undefined;
  readonly errors: ErrorContext;
  readonly parts: UsageParts;
}

async function getUsage(
  request: GetUsageRequest,
  { queries, caller, errors, parts }: Asked,
): Promise<GetUsageResponse> {
  const named = request.filter?.caller ?? '';
  if (caller !== undefined && named !== '' && named !== caller) {
    throw refused('USAGE_FORBIDDEN', 'A caller is told its own usage alone.', 'filter.caller');
  }
  const question = readQuestion(request, parts.wall(), caller);
  if (!('fingerprint' in question)) throw invalid(question, errors);
  const { filter, keys, limit, after } = question;
  const sums = await askLedger(() => queries.sums(filter, keys, { limit: limit + 1, after }));
  const rows = fitRows(sums.slice(0, limit).map(toldUsage));
  return create(GetUsageResponseSchema, {
    rows,
    nextPageToken: rows.length < sums.length ? nextToken(question, rows) : '',
    start: timestampFromMs(filter.startMs),
    end: timestampFromMs(filter.endMs),
  });
}

async function listAttempts(
  { requestId }: ListAttemptsRequest,
  queries: UsageQueries,
  caller: string | undefined,
  errors: ErrorContext,
): Promise<ListAttemptsResponse> {
  if (!isRequestId(requestId)) {
    const description = `must be 1 to ${MAX_REQUEST_ID_LENGTH} printable ASCII characters`;
    throw invalid([{ field: 'request_id', description }], errors);
  }
  const records = await askLedger(() => queries.attemptsOf(requestId, caller));
  return create(ListAttemptsResponseSchema, { attempts: records.map(toldAttempt) });
}

/** Keeps the rows that fit; at least one. */
function fitRows(rows: UsageRow[]): UsageRow[] {
  let characters = 0;
  const tooMany = rows.findIndex(({ key }, index) => {
    for (const text of key) characters += text.length;
    return index > 0 && characters > MAX_KEY_CHARACTERS;
  });
  return tooMany === -1 ? rows : rows.slice(0, tooMany);
}

function nextToken({ fingerprint, filter }: UsageQuestion, rows: readonly UsageRow[]): string {
  const { startMs, endMs } = filter;
  return writePageToken(fingerprint, { startMs, endMs, after: rows.at(-1)?.key ?? [] });
}

/** Returns whose usage alone is told; undefined for everybody's. */
function callerOf({ values }: HandlerContext, audience: UsageAudience): string | undefined {
  if (audience === 'operators') return undefined;
  const caller = audience === 'callers' ? values.get(CALLER) : undefined;
  if (caller !== undefined) return caller.name;
  throw refused(
    'USAGE_FORBIDDEN',
    'Usage is told at the admin address: no callers are named here, and others than this machine can reach the door.',
  );
}

/** Passes on what comes of a question, unless its caller leaves or its time is up before. */
async function untilAborted<Answer>(asked: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await Promise.race([asked, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function refused(reason: FailureReason, message: string, field?: string): FailureError {
  return new FailureError({ class: 'local_refusal', reason, message, field });
}

function invalid(violations: readonly Violation[], errors: ErrorContext): Error {
  return callError(invalidRequest(violations), { ...errors, violations });
}
