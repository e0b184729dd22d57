import { createContextKey } from '@connectrpc/connect';
import type { Caller } from '../../callers/port/caller.ts';

/** Who makes a call, as its door has found out; undefined where callers are not named. */
export const CALLER = createContextKey<Caller | undefined>(undefined, { description: 'caller' });
