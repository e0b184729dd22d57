import { COCKATIEL } from './cockatiel.ts';
import { LITELLM_LIKE } from './litellm-like.ts';
import { PORTKEY_LIKE } from './portkey-like.ts';
import type { Rival } from './rival.ts';
import { SEED_SCHEDULE } from './seed-schedule.ts';
import { UNDERSTUDY, UNDERSTUDY_EXHAUST_FIRST, UNDERSTUDY_RESTART } from './understudy.ts';

/** The rows of the engine itself. */
export const OURS: readonly Rival[] = [UNDERSTUDY, UNDERSTUDY_RESTART, UNDERSTUDY_EXHAUST_FIRST];

/** All policies, in the order of the tables. */
export const RIVALS: readonly Rival[] = [...OURS, SEED_SCHEDULE, COCKATIEL, LITELLM_LIKE, PORTKEY_LIKE];
