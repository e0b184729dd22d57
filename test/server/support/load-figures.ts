import type { LoadFigures } from '../../../src/server/port/load-figures.ts';

/** The load of a process that is half busy. */
export function loadFigures(changes: Partial<LoadFigures> = {}): LoadFigures {
  return {
    loopShare: 0.5,
    slotsShare: 0.1,
    cpuShare: 0.3,
    memoryShare: 0.25,
    callsPerSecond: 40,
    errorsPerSecond: 2,
    ...changes,
  };
}
