/**
 * How much of what is known of a target still holds when it is configured anew: all of it; all but what its account was found to be,
 * since the key is another one; nothing, since it is another upstream.
 */
export type KeptKnowledge = 'ALL' | 'ALL_BUT_ACCOUNT' | 'NOTHING';
