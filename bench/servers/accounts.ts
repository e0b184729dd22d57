import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** What the generator shows of itself; a gateway that knows no callers passes it over. */
export const API_KEY = 'us_bench-bench-bench-bench-bench-bench-bench';

/** Returns the sections of a configuration with everything on: a caller in a group, rates, budgets for both, a ledger. */
export function accountSections(directory: string, store: string | undefined): object {
  const limits = { requests_per_minute: 1_000_000, tokens_per_minute: 1_000_000_000, concurrent_calls: 1_000 };
  const budget = { usd: '900000.00', per: 'day' };
  return {
    groups: [{ name: 'bench', limits, budget }],
    callers: [
      {
        name: 'generator',
        group: 'bench',
        api_keys: [{ sha256: createHash('sha256').update(API_KEY).digest('hex') }],
        limits,
        budget,
      },
    ],
    ...(store !== undefined && { limits: { store, timeout: '200ms', failure_mode: 'closed' } }),
    ledger: { sqlite: join(directory, `usage-${store === undefined ? 'memory' : 'redis'}.db`) },
  };
}
