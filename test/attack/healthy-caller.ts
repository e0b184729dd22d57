import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { HealthyDoors, HealthyOrder, HealthyReport } from './healthy-calls.ts';

/** How the calls are made, where not at an even pace whatever becomes of them. */
export type HealthyPace = Pick<HealthyDoors, 'mostOpen' | 'deadlineMs'>;

/** A process that makes healthy calls while it is told to. */
export interface HealthyCaller {
  begin(doors: { readonly grpc: string; readonly web: string }, pace?: HealthyPace): void;
  /** Makes no more calls, and tells what became of those that were made. */
  end(): Promise<HealthyReport>;
  close(): Promise<void>;
}

const PROGRAM = fileURLToPath(new URL('healthy-calls.ts', import.meta.url));

/** Starts it. */
export function startHealthyCaller(): HealthyCaller {
  const child = fork(PROGRAM, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const send = (order: HealthyOrder): void => void child.send(order);
  return {
    begin: (doors, pace) => send({ begin: { grpc: doors.grpc, web: doors.web, key: HEALTHY_KEY, ...pace } }),
    end: async () => {
      const told = once(child, 'message');
      send({ end: true });
      const [report]: unknown[] = await told;
      return parseReport(report);
    },
    close: async () => {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** The share of calls that succeeded, 0 to 1; 1 where there were none. */
export function successOf({ calls, latenciesMs }: HealthyReport): number {
  return calls === 0 ? 1 : latenciesMs.length / calls;
}

/** A percentile of the latencies, in milliseconds; `share` from 0 to 1. */
export function percentileOf({ latenciesMs }: HealthyReport, share: number): number {
  return latenciesMs[Math.min(latenciesMs.length - 1, Math.floor(latenciesMs.length * share))] ?? 0;
}

/** The channel between processes has no types. */
function parseReport(message: unknown): HealthyReport {
  return message as HealthyReport;
}

/** What healthy calls show, where callers are named. */
export const HEALTHY_KEY = 'us_healthy-0123456789abcdefghijklmnopqrstuv';
