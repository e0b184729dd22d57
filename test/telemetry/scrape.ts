import type { TargetHealth } from '../../src/engine/call.ts';
import type { CallEnd } from '../../src/telemetry/call-end.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { type Exposition, parseExposition } from './exposition.ts';

/** Metrics without those of the process. */
export function createBareMetrics(targets: () => readonly TargetHealth[] = () => []): Metrics {
  return createMetrics({ targets, processMetrics: false });
}

/** Reads what the metrics say now. */
export async function scrape(metrics: Metrics): Promise<Exposition> {
  return parseExposition((await metrics.render()).body);
}

/** Reads what fresh metrics say after some calls. */
export async function record(...ends: readonly CallEnd[]): Promise<Exposition> {
  const metrics = createBareMetrics();
  for (const end of ends) metrics.callEnded(end);
  return scrape(metrics);
}
