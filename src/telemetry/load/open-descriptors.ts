import { readdir, stat } from 'node:fs/promises';

import { Gauge, type Registry } from 'prom-client';

const NAME = 'process_open_fds';
/** A symbolic link for each descriptor. */
const DIRECTORY = '/proc/self/fd';

/**
 * Puts a count of file descriptors that takes no time in the place of prom-client's, which reads the names of all of them at once:
 * 6 ms for 10,000 connections. To be called behind `collectDefaultMetrics`; does nothing where there is no `/proc`.
 */
export function countDescriptors(registry: Registry): void {
  if (registry.getSingleMetric(NAME) === undefined) return;
  registry.removeSingleMetric(NAME);
  const gauge: Gauge = new Gauge({
    name: NAME,
    help: 'Number of open file descriptors.',
    registers: [registry],
    collect: async () => {
      const count = await openDescriptors();
      if (count !== undefined) gauge.set(count);
    },
  });
}

/** Linux tells their number as the size of the directory from 6.2 on, and 0 before. */
async function openDescriptors(): Promise<number | undefined> {
  try {
    const { size } = await stat(DIRECTORY);
    return size > 0 ? size : (await readdir(DIRECTORY)).length;
  } catch {
    return undefined;
  }
}
