/**
 * For tests in which short limits of real time pass. Where this process itself is held up for longer, nobody is blamed for what it
 * misses (engine rule X2), and what it plays itself comes late: the test is run again.
 */
export const REAL_TIME = { retry: 3 } as const;
