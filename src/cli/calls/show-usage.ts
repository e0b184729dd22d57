import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { createClient, type Transport } from '@connectrpc/connect';

import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import {
  type GetUsageResponse,
  GetUsageResponseSchema,
  ListAttemptsResponseSchema,
  type UsageAttempt,
  UsageService,
} from '../../../gen/understudy/v1/usage_service_pb.ts';
import { alignedTable } from '../../config/port/aligned-table.ts';
import { formatUtcTime } from '../../core/formats/utc-time.ts';
import type { UsageFlags } from '../command-line.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { parseGroupings } from '../usage/grouping.ts';
import { shownCount, shownMoney } from '../usage/shown-amounts.ts';
import { sumsCsv, sumsTable } from '../usage/sums-table.ts';
import { UsageError } from '../usage-error.ts';
import { shownMs } from './answer-facts.ts';
import { printJson } from './ask-once.ts';
import { enumName } from './enum-name.ts';
import { withDeadline } from '../connection/gateway-connection.ts';

const TIMEOUT_MS = 60_000;
const PAGE_SIZE = 10_000;

/** What shows usage. */
export interface UsageContext {
  readonly transport: Transport;
  readonly flags: UsageFlags;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Shows what was used and spent, or the attempts of a request. Rejects with the error of a call. */
export async function showUsage(context: UsageContext): Promise<void> {
  const { flags, terminal } = context;
  if (flags.csv && flags.json) throw new UsageError('--csv and --json do not go together');
  if (flags.request !== undefined) {
    if (flags.csv) throw new UsageError('--request shows a table, or with --json a document');
    await showAttempts(flags.request, context);
    return;
  }
  const groupBy = parseGroupings(flags.by) ?? [];
  const usage = await readUsage(context);
  const { rows } = usage;
  if (flags.json) printJson(terminal, GetUsageResponseSchema, usage);
  else if (flags.csv) terminal.print(sumsCsv(groupBy, rows));
  else if (rows.every(({ attempts }) => attempts === 0n)) terminal.tell(`Nothing was used ${periodOf(usage)}.`);
  else terminal.draw(`Usage ${periodOf(usage)}\n\n${sumsTable(groupBy, rows)}\n`);
}

/** Reads all pages. */
async function readUsage({ transport, flags, signal }: UsageContext): Promise<GetUsageResponse> {
  const client = createClient(UsageService, transport);
  const { from, to, by, caller = '', timeout = TIMEOUT_MS } = flags;
  const asked = {
    groupBy: [...(parseGroupings(by) ?? [])],
    filter: { caller },
    pageSize: PAGE_SIZE,
    ...(from !== undefined && { start: timestampFromMs(from) }),
    ...(to !== undefined && { end: timestampFromMs(to) }),
  };
  const whole = create(GetUsageResponseSchema);
  for (let pageToken = ''; ;) {
    const page = await client.getUsage({ ...asked, pageToken }, withDeadline(signal, timeout));
    whole.rows.push(...page.rows);
    if (page.start !== undefined) whole.start = page.start;
    if (page.end !== undefined) whole.end = page.end;
    pageToken = page.nextPageToken;
    if (pageToken === '') return whole;
  }
}

async function showAttempts(requestId: string, { transport, flags, terminal, signal }: UsageContext): Promise<void> {
  const client = createClient(UsageService, transport);
  const { attempts } = await client.listAttempts({ requestId }, withDeadline(signal, flags.timeout ?? TIMEOUT_MS));
  if (flags.json) {
    printJson(terminal, ListAttemptsResponseSchema, create(ListAttemptsResponseSchema, { attempts }));
  } else if (attempts.length === 0) terminal.tell('The ledger has no attempt of this request.');
  else terminal.draw(`${attemptsTable(attempts)}\n`);
}

function attemptsTable(attempts: readonly UsageAttempt[]): string {
  const heading = [
    'began',
    'caller',
    '',
    'kind',
    'target',
    'model',
    'outcome',
    'took',
    'input',
    'output',
    'tier',
    'cost',
  ];
  return alignedTable(
    [...heading, 'list price'],
    attempts.map((attempt) => [
      attempt.startedAt === undefined ? '' : formatUtcTime(timestampMs(attempt.startedAt)),
      attempt.caller === '' ? '-' : attempt.caller,
      String(attempt.number),
      attempt.kind,
      attempt.target,
      attempt.reportedModel === '' ? attempt.model : attempt.reportedModel,
      attempt.outcome === ErrorReason.UNSPECIFIED ? 'OK' : enumName(ErrorReason, attempt.outcome),
      shownMs(attempt.durationMs),
      shownTokens(attempt.usage?.inputTokens),
      shownTokens(attempt.usage?.outputTokens),
      attempt.usage?.serviceTier ?? '',
      attempt.cost?.nanoUsd === undefined ? 'unknown' : shownMoney(attempt.cost.nanoUsd),
      attempt.listNanoUsd === undefined ? '' : shownMoney(attempt.listNanoUsd),
    ]),
  );
}

function shownTokens(tokens: number | undefined): string {
  return tokens === undefined ? '' : shownCount(tokens);
}

function periodOf({ start, end }: GetUsageResponse): string {
  const [from, to] = [start, end].map((time) => (time === undefined ? '' : shownTime(timestampMs(time))));
  return `from ${from} to ${to} UTC`;
}

/** Without seconds, where there are none. */
function shownTime(ms: number): string {
  return formatUtcTime(ms)
    .replace('T', ' ')
    .replace(/(?: 00:00)?(?::00)?\.000Z$/, '')
    .replace(/\.\d{3}Z$/, '');
}
