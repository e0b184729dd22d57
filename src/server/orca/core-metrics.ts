import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { type Duration, durationMs } from '@bufbuild/protobuf/wkt';
import type { OrcaLoadReport } from '../../../gen/xds/data/orca/v3/orca_load_report_pb.ts';
import type { OpenRcaService } from '../../../gen/xds/service/orca/v3/orca_pb.ts';
import type { Timers } from '../../core/ports.ts';
import type { ServingStatus } from '../health/serving-status.ts';
import type { LoadReports } from './load-reports.ts';

/** Reports come no more often, in milliseconds, whatever is asked for, and so often where nothing is: figures change once a second. */
const SHORTEST_INTERVAL_MS = 1_000;

/** What the service is made of. */
export interface CoreMetricsParts {
  readonly reports: LoadReports;
  readonly serving: Pick<ServingStatus, 'isDraining' | 'whenDraining'>;
  readonly timers: Timers;
}

/**
 * Makes the implementation of `xds.service.orca.v3.OpenRcaService` (gRFC A51, out of band): a report at once and one after each
 * interval, until the server goes down, which ends the stream with UNAVAILABLE. How many may listen is for the door to bound.
 */
export function createCoreMetrics(parts: CoreMetricsParts): ServiceImpl<typeof OpenRcaService> {
  return {
    streamCoreMetrics: ({ reportInterval }, context) => streamReports(parts, intervalMs(reportInterval), context),
  };
}

async function* streamReports(
  { reports, serving, timers }: CoreMetricsParts,
  everyMs: number,
  { signal }: HandlerContext,
): AsyncGenerator<OrcaLoadReport> {
  let wake = (): void => undefined;
  const onEvent = (): void => wake();
  const stopHearing = serving.whenDraining(onEvent);
  signal.addEventListener('abort', onEvent, { once: true });
  try {
    while (!signal.aborted && !serving.isDraining) {
      yield reports.report();
      if (signal.aborted || serving.isDraining) break;
      await new Promise<void>((resolve) => {
        const timer = timers.setTimer(everyMs, resolve);
        wake = () => {
          timers.clearTimer(timer);
          resolve();
        };
      });
    }
    throw signal.aborted ? signal.reason : new ConnectError('The gateway goes down.', Code.Unavailable);
  } finally {
    signal.removeEventListener('abort', onEvent);
    stopHearing();
  }
}

function intervalMs(asked: Duration | undefined): number {
  return Math.max(SHORTEST_INTERVAL_MS, asked === undefined ? 0 : durationMs(asked));
}
