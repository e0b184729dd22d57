import type { Runtime } from '../../core/ports.ts';
import {
  authorityOf,
  hasSafeMethod,
  pathOf,
  respondText,
  type WebRequest,
  type WebResponse,
} from '../http/exchange.ts';
import { MAX_REQUEST_ID_LENGTH } from '../port/limits.ts';
import type { RecentCall } from '../port/shown/recent-history.ts';
import type { ShownDoors, StatusParts } from '../port/shown/status-parts.ts';
import type { UsageParts } from '../port/usage-parts.ts';
import { LedgerCosts } from './ledger-costs.ts';
import { callsOfRecords } from './ledger-trail.ts';
import { LiveStream } from './live-stream.ts';
import { PageFiles } from './page-files.ts';
import { shownSections } from './shown-sections.ts';

/** What the status page is served with. */
export interface StatusOptions {
  readonly parts: StatusParts;
  readonly isReady: () => boolean;
  /** Whether AdminService is there. */
  readonly canOperate: boolean;
  /** Whether the listener has TLS. */
  readonly isSecure: boolean;
  readonly doors?: (() => ShownDoors) | undefined;
  readonly usage?: Pick<UsageParts, 'queries'> | undefined;
  readonly runtime: Pick<Runtime, 'now' | 'wall' | 'setTimer' | 'clearTimer'>;
}

/** The answer to `/trail`. */
export interface TrailAnswer {
  readonly source: 'memory' | 'ledger';
  /** The last one first: callers may use an id again. */
  readonly calls: readonly RecentCall[];
  /** Whether there is a ledger that could not be asked. */
  readonly isLedgerGone: boolean;
}

/** What programs and terminals get in place of the page. */
function plainText(base: string): string {
  return [
    'Understudy, for operators. In a browser this is a page with the status of the gateway.',
    '',
    `  ${base}/metrics     metrics for Prometheus`,
    `  ${base}/readyz      whether new calls are wanted`,
    `  ${base}/livez       whether the process lives`,
    `  ${base}/status      what the page shows, as server-sent events`,
    `  ${base}/trail?request_id=ID`,
    '      what was tried for a request',
  ].join('\n');
}

/**
 * Makes what answers the status page: `/` and its files, `/status` (what it shows, live) and `/trail` (what was tried for a request). It
 * tells whether a request was for it.
 */
export function createStatusPage(options: StatusOptions): (request: WebRequest, response: WebResponse) => boolean {
  const { parts, usage, runtime, isSecure } = options;
  const queries = usage?.queries;
  const costs = queries && new LedgerCosts(queries, runtime);
  const startedAtMs = Math.round(runtime.wall() - parts.gateway.uptimeMs());
  const stream = new LiveStream(
    () => shownSections({ ...parts, ...options, costs, wallMs: runtime.wall(), startedAtMs }),
    runtime,
  );
  const files = new PageFiles();
  return (request, response) => {
    if (!hasSafeMethod(request)) return false;
    const path = pathOf(request);
    if (path === '/status' && request.method === 'GET') stream.add(response);
    else if (path === '/trail') void answerTrail(request, response, options);
    else if (path === '/' && !/\btext\/html\b/.test(request.headers.accept ?? ''))
      respondText(response, 200, plainText(`${isSecure ? 'https' : 'http'}://${authorityOf(request)}`));
    else return files.answer(request, response);
    return true;
  };
}

async function answerTrail(request: WebRequest, response: WebResponse, { parts, usage }: StatusOptions): Promise<void> {
  const id = new URLSearchParams((request.url ?? '').split('?')[1] ?? '').get('request_id') ?? '';
  if (id === '' || id.length > MAX_REQUEST_ID_LENGTH) return respondText(response, 400, 'request_id is required');
  const calls = parts.history.find(id);
  let answer: TrailAnswer = { source: 'memory', calls, isLedgerGone: false };
  if (calls.length === 0 && usage?.queries !== undefined) {
    try {
      answer = { source: 'ledger', calls: callsOfRecords(await usage.queries.attemptsOf(id)), isLedgerGone: false };
    } catch {
      answer = { source: 'memory', calls, isLedgerGone: true };
    }
  }
  response.setHeader('content-type', 'application/json');
  response.setHeader('cache-control', 'no-store');
  response.setHeader('x-content-type-options', 'nosniff');
  response.end(JSON.stringify(answer));
}
