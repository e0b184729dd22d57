import type { TargetHealth } from '../../src/engine/port/call.ts';
import type { EngineLoad } from '../../src/engine/port/engine-load.ts';
import type { CallReport } from '../../src/telemetry/report/call-report.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metering/metrics.ts';
import { type Exposition, parseExposition } from './exposition.ts';

/** Metrics without those of the process. */
export function createBareMetrics(): Metrics {
  return createMetrics({ processMetrics: false });
}

/** Reads what the metrics say now. */
export async function scrape(
  metrics: Metrics,
  targets: readonly TargetHealth[] = [],
  load?: EngineLoad,
): Promise<Exposition> {
  return parseExposition((await metrics.render(targets, load)).body);
}

/** Reads what fresh metrics say after some calls. */
export async function record(...ends: readonly CallReport[]): Promise<Exposition> {
  const metrics = createBareMetrics();
  for (const end of ends) metrics.callEnded(end);
  return scrape(metrics);
}
