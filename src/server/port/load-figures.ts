/** How much this process has had to do over the last ten seconds, or since its start. */
export interface LoadFigures {
  /** How much of the time the event loop was busy, 0 to 1. */
  readonly loopShare: number;
  /** How much of the slots for requests is taken now, 0 to 1. */
  readonly slotsShare: number;
  /** CPU that the process took, all threads, of what it may have, from 0. */
  readonly cpuShare: number;
  /** Resident memory of what the process may have, 0 to 1. */
  readonly memoryShare: number;
  /** Calls that have ended, and those of them that failed for no fault of their callers. */
  readonly callsPerSecond: number;
  readonly errorsPerSecond: number;
}
