import type { ConnectRouter, ServiceImpl } from '@connectrpc/connect';
import { AdminService } from '../../../gen/understudy/v1/admin_pb.ts';
import { UsageService } from '../../../gen/understudy/v1/usage_service_pb.ts';
import type { System } from '../../core/ports.ts';
import { createTransfers, type Transfers } from '../wire/transfers.ts';
import { guardFromPages } from '../http/cors.ts';
import { hasSafeMethod, type WebResponse, pathOf, respondText } from '../http/exchange.ts';
import { KnownHosts } from '../http/known-hosts.ts';
import { createListener, type ListenerOptions } from '../http/listener.ts';
import { createRpcListener } from '../http/calls/rpc-listener.ts';
import { wantsOpenMetrics } from './wants-open-metrics.ts';
import { answerProbe } from '../http/health-endpoints.ts';
import { createCsvDownload } from '../usage/csv-download.ts';
import type { UsageParts } from '../port/usage-parts.ts';
import type { ShownDoors, StatusParts } from '../port/shown/status-parts.ts';
import { createStatusPage } from '../status/serve-status.ts';
import { createUsageHandlers } from '../usage/serve-usage.ts';

/** What `/metrics` answers. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** Options of the admin listener. */
export interface AdminOptions extends Pick<ListenerOptions, 'tls' | 'tlsHappened' | 'idleTimeoutMs'> {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  /** Answers `/readyz`. */
  readonly isReady: () => boolean;
  /** Answers `/metrics`; without it there is none. */
  readonly metrics?: (isOpenMetrics: boolean) => Promise<MetricsText>;
  /** Answers AdminService; without it there is none. */
  readonly handlers?: ServiceImpl<typeof AdminService>;
  /** Answers UsageService, `/usage.csv` and `/attempts.csv`, about all callers; without it there are none. */
  readonly usage?: UsageParts;
  /** What the status page at `/` shows; without it there is none. */
  readonly status?: StatusParts | undefined;
  /** Where the doors are, for who has not called yet. Default: it is not told. */
  readonly doors?: (() => ShownDoors) | undefined;
  readonly runtime: Pick<System, 'now' | 'wall' | 'random' | 'setTimer' | 'clearTimer' | 'setIdleTimer'>;
  /** Bounds what requests and answers hold, together with the other doors. Default: bounds of its own. */
  readonly transfers?: Transfers;
  /** Names by which the listener may be called, besides those of loopback. Default: none. */
  readonly allowedHosts?: readonly string[];
}

/** An open admin listener. */
export interface AdminListener {
  /** The bound `host:port`. */
  readonly address: string;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Serves the status page, `/livez`, `/readyz`, `/metrics`, usage and AdminService to operators. Never gRPC, never callers. */
export async function openAdmin(options: AdminOptions): Promise<AdminListener> {
  const { handlers, runtime } = options;
  const bodies = { runtime, transfers: options.transfers ?? createTransfers(runtime) };
  const { usage } = options;
  const routes = (router: ConnectRouter): void => {
    if (handlers !== undefined) router.service(AdminService, handlers);
    if (usage !== undefined) router.service(UsageService, createUsageHandlers(usage, 'operators'));
  };
  const answer = createRpcListener({ routes, bodies });
  const download = usage && createCsvDownload(usage);
  const { status: parts, doors, isReady } = options;
  const canOperate = handlers !== undefined;
  const isSecure = options.tls !== undefined;
  const statusPage = parts && createStatusPage({ parts, isReady, canOperate, isSecure, doors, usage, runtime });
  // Scripts of other web pages may call nothing here.
  const rules = { hosts: new KnownHosts(options.address, options.allowedHosts), hasPage: parts !== undefined };
  const listener = createListener({ ...options, name: 'admin listener' }, (request, response) => {
    if (answerProbe(request, response, options.isReady)) return;
    if (guardFromPages(request, response, rules)) return;
    const { metrics } = options;
    if (metrics !== undefined && hasSafeMethod(request) && pathOf(request) === '/metrics')
      void answerMetrics(() => metrics(wantsOpenMetrics(request.headers.accept)), response);
    else if (statusPage?.(request, response) !== true && download?.(request, response) !== true)
      answer(request, response);
  });
  const address = await listener.listen(options.address);
  return { address, close: () => listener.close() };
}

async function answerMetrics(metrics: () => Promise<MetricsText>, response: WebResponse): Promise<void> {
  try {
    const { contentType, body } = await metrics();
    response.setHeader('content-type', contentType);
    response.setHeader('cache-control', 'no-store');
    response.setHeader('vary', 'accept');
    response.end(body);
  } catch {
    respondText(response, 500, 'metrics are not available');
  }
}
