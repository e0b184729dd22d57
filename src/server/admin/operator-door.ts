import type { ServiceImpl } from '@connectrpc/connect';
import { AdminService } from '../../../gen/understudy/v1/admin_pb.ts';
import { createServer, type ServerResponse } from 'node:http';
import type { System } from '../../core/ports.ts';
import { createTransfers, type Transfers } from '../wire/transfers.ts';
import { closeHttp, listenHttp } from '../http/listener.ts';
import { createRpcListener } from '../http/rpc-listener.ts';
import { answerProbe, hasSafeMethod, pathOf, respondText } from '../http/probes.ts';

/** What `/metrics` answers. */
export interface MetricsText {
  readonly contentType: string;
  readonly body: string;
}

/** Options of the admin listener. */
export interface AdminOptions {
  /** `host:port`; port 0 lets the system choose. */
  readonly address: string;
  /** Answers `/readyz`. */
  readonly isReady: () => boolean;
  /** Answers `/metrics`; without it there is none. */
  readonly metrics?: () => Promise<MetricsText>;
  /** Answers AdminService; without it there is none. */
  readonly handlers?: ServiceImpl<typeof AdminService>;
  readonly runtime: Pick<System, 'now' | 'random' | 'setIdleTimer'>;
  /** Bounds what requests and answers hold, together with the other doors. Default: bounds of its own. */
  readonly transfers?: Transfers;
}

/** An open admin listener. */
export interface AdminListener {
  /** The bound `host:port`. */
  readonly address: string;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Serves `/livez`, `/readyz`, `/metrics` and AdminService to operators. Never gRPC, never callers. */
export async function openAdmin(options: AdminOptions): Promise<AdminListener> {
  const { handlers, runtime } = options;
  const bodies = { runtime, transfers: options.transfers ?? createTransfers(runtime) };
  const answer = handlers && createRpcListener({ routes: (router) => router.service(AdminService, handlers), bodies });
  const server = createServer((request, response) => {
    if (answerProbe(request, response, options.isReady)) return;
    const { metrics } = options;
    if (metrics !== undefined && hasSafeMethod(request) && pathOf(request) === '/metrics')
      void answerMetrics(metrics, response);
    else if (answer === undefined) respondText(response, 404, 'not found');
    // Web pages may change nothing here, not even one that reaches this address by a name of its own (DNS rebinding).
    else if (request.headers.origin !== undefined) respondText(response, 403, 'not for browsers');
    else answer(request, response);
  });
  const address = await listenHttp(server, options.address);
  return { address, close: () => closeHttp(server) };
}

async function answerMetrics(metrics: () => Promise<MetricsText>, response: ServerResponse): Promise<void> {
  try {
    const { contentType, body } = await metrics();
    response.writeHead(200, { 'content-type': contentType, 'cache-control': 'no-store' });
    response.end(body);
  } catch {
    respondText(response, 500, 'metrics are not available');
  }
}
