import type { Check } from '../facts.ts';
import { AFFINITY_CHECKS } from './affinity-checks.ts';
import { ATTEMPT_CHECKS } from './attempt-checks.ts';
import { BREAKER_CHECKS } from './breaker-checks.ts';
import { BUDGET_CHECKS } from './budget-checks.ts';
import { LIVENESS_CHECKS } from './liveness-checks.ts';
import { MONEY_CHECKS } from './money-checks.ts';
import { QUEUE_CHECKS } from './queue-checks.ts';
import { QUIESCENCE_CHECKS } from './quiescence-checks.ts';
import { RETRY_CHECKS } from './retry-checks.ts';
import { STREAM_CHECKS } from './stream-checks.ts';

/** Every invariant that a simulation checks. */
export const ALL_CHECKS: readonly Check[] = [
  ...BREAKER_CHECKS,
  ...ATTEMPT_CHECKS,
  ...RETRY_CHECKS,
  ...AFFINITY_CHECKS,
  ...BUDGET_CHECKS,
  ...QUEUE_CHECKS,
  ...STREAM_CHECKS,
  ...MONEY_CHECKS,
  ...QUIESCENCE_CHECKS,
  ...LIVENESS_CHECKS,
];
