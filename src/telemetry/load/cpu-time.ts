import { cpuUsage } from 'node:process';

/** Returns the CPU time that all threads of this process have used, in milliseconds. */
export function cpuTimeMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1_000;
}
