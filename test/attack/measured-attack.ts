import { setTimeout as passed } from 'node:timers/promises';

import type { ProcessEnd } from '../support/understudy-process.ts';
import type { Attack } from './attack.ts';
import type { AttackedProcess, SickCalls } from './attacked-process.ts';
import type { HealthyCaller } from './healthy-caller.ts';
import { percentileOf, successOf } from './healthy-caller.ts';
import type { HealthyReport } from './healthy-calls.ts';

/** What was seen while the gateway was attacked, or was not. */
export interface Measured {
  readonly name: string;
  readonly healthy: HealthyReport;
  readonly success: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Bytes in memory: before, at most, and when it was over. */
  readonly startBytes: number;
  readonly peakBytes: number;
  readonly afterBytes: number;
  /** Share of a core, 0 to 1 and more. */
  readonly cpu: number;
  readonly seconds: number;
  /** What the attack says should not have happened. */
  readonly faults: readonly string[];
  /** How the process ended, where it did. */
  readonly end: ProcessEnd | undefined;
}

/** Healthy calls go on for so long before and after an attack. */
const BESIDE_MS = 500;
/** How long memory may take to come back. */
const BACK_MS = 15_000;
/** Share of its size at the start by which memory may be above it in the end. */
export const BACK_SHARE = 0.2;

/** Attacks the gateway beside healthy calls, and measures both. */
export async function measureAttack(
  attack: Attack,
  gateway: AttackedProcess,
  caller: HealthyCaller,
  sick: SickCalls,
  seed: number,
): Promise<Measured> {
  const startBytes = await gateway.settledBytes();
  gateway.resetPeak();
  const cpuAtStart = gateway.cpuSeconds();
  const beganAt = performance.now();
  caller.begin(gateway.doors);
  await passed(BESIDE_MS);
  const doors = { ...gateway.doors, sick, stderr: () => gateway.doors.stderr() };
  const left = new AbortController();
  const faults = await Promise.race([
    attack.run(doors, seed).catch((error: unknown) => [`the attack failed: ${String(error)}`]),
    passed(attack.withinMs, [`took more than ${attack.withinMs / 1_000} s`], { signal: left.signal }),
    gateway.ended.then(() => []),
  ]);
  left.abort();
  await passed(BESIDE_MS);
  const healthy = await caller.end();
  const seconds = (performance.now() - beganAt) / 1_000;
  const cpu = (gateway.cpuSeconds() - cpuAtStart) / seconds;
  const peakBytes = gateway.peakBytes();
  return {
    name: attack.name,
    healthy,
    success: successOf(healthy),
    p50Ms: percentileOf(healthy, 0.5),
    p99Ms: percentileOf(healthy, 0.99),
    startBytes,
    peakBytes,
    afterBytes: await bytesWhenBack(gateway, startBytes),
    cpu,
    seconds,
    faults,
    end: gateway.end(),
  };
}

/** Waits until the memory is back, for as long as that may take; returns what it is then. */
async function bytesWhenBack(gateway: AttackedProcess, startBytes: number): Promise<number> {
  const untilMs = performance.now() + BACK_MS;
  for (;;) {
    const bytes = await gateway.settledBytes();
    if (bytes <= startBytes * (1 + BACK_SHARE) || performance.now() > untilMs || gateway.end() !== undefined)
      return bytes;
    await passed(500);
  }
}
