import { budgetRace } from '../support/budget-race.ts';
import { callerOf, cents } from '../support/caller-accounts.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { startScratchRedis } from '../support/scratch-redis.ts';

const RUNS = 20;
const CALLERS = 200;
const BUDGET_NANO_USD = 1_000_000_000n;
const LEAST_NANO_USD = (95n * BUDGET_NANO_USD) / 100n;
/** So that an answer of the mock, some thirty tokens, costs about a cent. */
const PRICES = [{ model: 'mock-ok', input: '1', output: '333' }];

function usd(nanoUsd: bigint): string {
  return (Number(nanoUsd) / 1e9).toFixed(4);
}

/**
 * Lets 200 callers of one key race for a budget of 1.00 USD with calls of about 0.01 USD, 20 times with answers that are bounded and 20
 * times with others; with `--store redis` over two gateways that count in one redis-server. Ends with 0 where each race has spent 95 % of the budget at least, and no more than it but one call's error.
 */
async function main(): Promise<number> {
  let isGood = true;
  const redis = process.argv.includes('redis') ? await startScratchRedis() : undefined;
  for (const maxTokens of [40, undefined]) {
    for (let run = 1; run <= RUNS; run++) {
      const targets = [{ name: 'mock', provider: 'mock', model: 'mock-ok', prices: PRICES } as const];
      redis?.command('FLUSHALL');
      const limits = redis && { store: redis.url };
      const gateways = await Promise.all(
        Array.from({ length: redis === undefined ? 1 : 2 }, () =>
          startGateway({ targets, limits }, {}, [callerOf('billing', { budgets: [cents(100)] })]),
        ),
      );
      const beganAtMs = performance.now();
      const { spentNanoUsd, dearestNanoUsd, answered, refused } = await budgetRace(
        gateways.map(({ client }) => client),
        CALLERS,
        run % 2 === 0,
        { maxTokens },
      );
      const tookMs = performance.now() - beganAtMs;
      await Promise.all(gateways.map((gateway) => gateway.close()));
      const mostNanoUsd = BUDGET_NANO_USD + (maxTokens === undefined ? dearestNanoUsd : 0n);
      const isRight = spentNanoUsd >= LEAST_NANO_USD && spentNanoUsd <= mostNanoUsd && refused.size === 1;
      isGood &&= isRight;
      console.log(
        [
          isRight ? 'as it must be' : 'NOT as it must be',
          `max_tokens ${maxTokens ?? 'none'}`,
          `run ${run}`,
          `spent ${usd(spentNanoUsd)} USD in ${answered} calls and ${tookMs.toFixed(0)} ms`,
          [...refused].map(([why, count]) => `${count} × ${why}`).join(', '),
        ].join('; '),
      );
    }
  }
  await redis?.stop();
  return isGood ? 0 : 1;
}

process.exitCode = await main();
