import type { AdmissionConfig } from '../engine/port/config.ts';
import type { FileAdmission } from './file/admission-schema.ts';

/** How many requests may be under way by default: enough to keep one core busy, and few enough for a small one. */
const LEAST_ACTIVE = 100;
const MOST_ACTIVE = 1_000;
/** What a request may take of the heap by default, in bytes: a stream under way takes a tenth of it, a large one all. */
const BYTES_PER_REQUEST = 1024 * 1024;
/** For each request that waits by default, so many are under way. */
const ACTIVE_PER_QUEUED = 10;

/**
 * Fills in what a section `admission` leaves open. Cores do not count: one event loop serves all requests.
 *
 * @param heapLimitBytes how large the heap of this process may become; absent where nothing is known of it
 */
export function resolveAdmission(section: FileAdmission, heapLimitBytes = Infinity): AdmissionConfig {
  const fitting = Math.floor(heapLimitBytes / BYTES_PER_REQUEST);
  const maxActive = section.max_active ?? Math.min(MOST_ACTIVE, Math.max(LEAST_ACTIVE, fitting));
  return {
    maxActive,
    maxQueued: section.max_queued ?? Math.ceil(maxActive / ACTIVE_PER_QUEUED),
    maxWaitMs: section.max_wait,
    maxShare: section.max_share,
  };
}
