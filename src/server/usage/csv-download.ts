import { once } from 'node:events';
import { create } from '@bufbuild/protobuf';
import { GetUsageRequestSchema } from '../../../gen/understudy/v1/usage_service_pb.ts';
import { csvRow } from '../../core/formats/csv-row.ts';
import { FailureError, REASON_STATUS } from '../../core/failure.ts';
import { formatNano } from '../../core/money.ts';
import { formatUtcTime } from '../../core/formats/utc-time.ts';
import type { UsageQueries, UsageSum } from '../../ledger/port/usage-queries.ts';
import type { UsageRecord } from '../../ledger/port/usage-record.ts';
import {
  hasSafeMethod,
  pathOf,
  resetResponse,
  respondText,
  type WebRequest,
  type WebResponse,
} from '../http/exchange.ts';
import type { UsageParts } from '../port/usage-parts.ts';
import { collectViolations, type Violation } from '../port/violations.ts';
import { readCsvQuery } from './csv-query.ts';
import { readQuestion, type UsageQuestion } from './question.ts';
import { askLedger, ledgerFailure, presentLedger } from './serve-usage.ts';

/** Rows that are read at a time. */
const PAGE_ROWS = 10_000;

const SUMS = [
  ['requests', (sum) => sum.requests],
  ['attempts', (sum) => sum.attempts],
  ['input_tokens', (sum) => sum.inputTokens],
  ['cached_input_tokens', (sum) => sum.cachedInputTokens],
  ['output_tokens', (sum) => sum.outputTokens],
  ['reasoning_tokens', (sum) => sum.reasoningTokens],
  ['cost_usd', (sum) => usd(sum.costNanoUsd)],
  ['cost_nano_usd', (sum) => sum.costNanoUsd],
  ['list_usd', (sum) => usd(sum.listNanoUsd)],
  ['list_nano_usd', (sum) => sum.listNanoUsd],
  ['unknown_cost_attempts', (sum) => sum.unknownCostAttempts],
] as const satisfies readonly Column<UsageSum>[];

const ATTEMPTS = [
  ['started_at', (record) => formatUtcTime(record.startedAtMs)],
  ['request_id', (record) => record.requestId],
  ['method', (record) => record.method],
  ['caller', (record) => record.caller],
  ['group', (record) => record.group],
  ['number', (record) => record.number],
  ['kind', (record) => record.kind],
  ['provider', (record) => record.provider],
  ['target', (record) => record.target],
  ['model', (record) => record.model],
  ['reported_model', (record) => record.reportedModel],
  ['service_tier', (record) => record.serviceTier],
  ['outcome', (record) => record.outcome],
  ['http_status', (record) => record.httpStatus],
  ['provider_request_id', (record) => record.providerRequestId],
  ['duration_ms', (record) => record.durationMs],
  ['first_output_ms', (record) => record.firstOutputMs],
  ['input_tokens', (record) => record.inputTokens],
  ['cached_input_tokens', (record) => record.cachedInputTokens],
  ['cache_write_tokens', (record) => record.cacheWriteTokens],
  ['output_tokens', (record) => record.outputTokens],
  ['reasoning_tokens', (record) => record.reasoningTokens],
  ['tokens_are_estimated', (record) => String(record.isEstimated)],
  ['cost_usd', (record) => usd(record.costNanoUsd)],
  ['cost_nano_usd', (record) => record.costNanoUsd],
  ['cost_source', (record) => record.costSource],
  ['list_usd', (record) => usd(record.listNanoUsd)],
  ['list_nano_usd', (record) => record.listNanoUsd],
  ['price_table_version', (record) => record.priceTableVersion],
  ['labels', ({ labels }) => (Object.keys(labels).length === 0 ? '' : JSON.stringify(labels))],
] as const satisfies readonly Column<UsageRecord>[];

type Column<Row> = readonly [name: string, cell: (row: Row) => Cell];
type Cell = string | number | bigint | undefined;

/** A decimal is a number, which no spreadsheet takes for a formula. */
function usd(nanoUsd: bigint | undefined): string | undefined {
  return nanoUsd === undefined ? undefined : formatNano(nanoUsd);
}

/**
 * Makes what answers `GET /usage.csv` and `GET /attempts.csv` for operators; it tells whether a request was one of these. What cannot
 * be completed is broken off, so that nobody takes it for the whole.
 */
export function createCsvDownload(parts: UsageParts): (request: WebRequest, response: WebResponse) => boolean {
  return (request, response) => {
    const path = pathOf(request);
    if (path !== '/usage.csv' && path !== '/attempts.csv') return false;
    if (!hasSafeMethod(request)) {
      response.setHeader('allow', 'GET, HEAD');
      respondText(response, 405, 'only GET is answered here');
      return true;
    }
    void download(parts, path, request, response);
    return true;
  };
}

async function download(parts: UsageParts, path: string, request: WebRequest, response: WebResponse): Promise<void> {
  try {
    const ledger = presentLedger(parts);
    const question = readUrl(request.url ?? '', path, parts.wall());
    if (!('fingerprint' in question)) {
      respondText(response, 400, question.map(({ field, description }) => `${field} ${description}`).join('\n'));
      return;
    }
    const pages = path === '/usage.csv' ? sumPages(ledger, question) : recordPages(ledger, question);
    // An error before the first rows has a status yet.
    let page = await pages.next();
    response.statusCode = 200;
    response.setHeader('content-type', 'text/csv; charset=utf-8');
    response.setHeader('content-disposition', `attachment; filename="understudy-${path.slice(1)}"`);
    response.setHeader('cache-control', 'no-store');
    while (page.done !== true && request.method !== 'HEAD' && (await written(response, page.value)))
      page = await pages.next();
    await pages.return(undefined);
    response.end();
  } catch (thrown) {
    if (response.headersSent || response.destroyed) resetResponse(response);
    else tellFailure(thrown, response);
  }
}

function readUrl(url: string, path: string, nowMs: number): UsageQuestion | readonly Violation[] {
  const query = new URLSearchParams(url.slice(path.length));
  const asked = create(GetUsageRequestSchema);
  const violations = collectViolations((report) => {
    if (path === '/attempts.csv' && query.has('group_by')) report('group_by', 'is for /usage.csv');
    readCsvQuery(query, asked, report);
  });
  if (violations.length > 0) return violations;
  return readQuestion(asked, nowMs);
}

/** Makes the text of all pages; the first has the heading too, so that a ledger that is gone is told with a status. */
async function* sumPages(ledger: UsageQueries, { filter, keys }: UsageQuestion): AsyncGenerator<string> {
  let heading = csvRow([...keys, ...SUMS.map(([name]) => name)]);
  for (let after: readonly string[] | undefined; ;) {
    const page = { limit: PAGE_ROWS, after };
    const sums = await askLedger(() => ledger.sums(filter, keys, page));
    yield heading + sums.map((sum) => csvRow([...sum.keys, ...SUMS.map(([, cell]) => cell(sum))])).join('');
    heading = '';
    after = sums.at(-1)?.keys;
    if (sums.length < PAGE_ROWS || after === undefined || keys.length === 0) return;
  }
}

async function* recordPages(ledger: UsageQueries, { filter }: UsageQuestion): AsyncGenerator<string> {
  let heading = csvRow(ATTEMPTS.map(([name]) => name));
  try {
    for await (const page of ledger.records(filter)) {
      yield heading + page.map((record) => csvRow(ATTEMPTS.map(([, cell]) => cell(record)))).join('');
      heading = '';
    }
  } catch (cause) {
    throw ledgerFailure(cause);
  }
  if (heading !== '') yield heading;
}

/** Writes as fast as it is read; false where nobody reads any more. */
async function written(response: WebResponse, text: string): Promise<boolean> {
  if (response.destroyed) return false;
  if (text === '' || writeText(response, text)) return true;
  const left = new AbortController();
  const { signal } = left;
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } finally {
    left.abort();
  }
  return !response.destroyed;
}

function writeText(response: WebResponse, text: string): boolean {
  return 'stream' in response ? response.write(text) : response.write(text);
}

function tellFailure(thrown: unknown, response: WebResponse): void {
  if (!(thrown instanceof FailureError)) return respondText(response, 500, 'The gateway failed.');
  const { reason, message } = thrown.failure;
  respondText(response, REASON_STATUS[reason] === 'UNAVAILABLE' ? 503 : 400, `${reason}: ${message}`);
}
