import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { budgetRace, type RaceResult } from '../support/budget-race.ts';
import { callerOf, cents } from '../support/caller-accounts.ts';
import { startGateway } from '../support/gateway-doors.ts';
import { startRaceGateways } from '../support/race-gateways.ts';

const RUNS = 20;
const CALLERS = 200;
const BUDGET_NANO_USD = 1_000_000_000n;
const LEAST_NANO_USD = (95n * BUDGET_NANO_USD) / 100n;
/** So that an answer of the mock, some thirty tokens, costs about a cent. */
const PRICES = [{ model: 'mock-ok', input: '1', output: '333' }];

function usd(nanoUsd: bigint): string {
  return (Number(nanoUsd) / 1e9).toFixed(4);
}

const TARGETS = [{ name: 'mock', provider: 'mock', model: 'mock-ok', prices: PRICES } as const];

/** Races once in a gateway that counts in memory. */
async function raceInMemory(untilRefused: boolean, maxTokens: number | undefined): Promise<RaceResult> {
  const gateway = await startGateway({ targets: TARGETS }, {}, [callerOf('billing', { budgets: [cents(100)] })]);
  const result = await budgetRace([gateway.client], CALLERS, untilRefused, { maxTokens });
  await gateway.close();
  return result;
}

/**
 * Lets 200 callers of one key race for a budget of 1.00 USD with calls of about 0.01 USD, 20 times with answers that are bounded and 20
 * times with others; with `--store redis` over two processes that count in one Redis. Ends with 0 where each race has spent 95 % of the
 * budget at least, no more than it but one call's error, and where the store knows that sum.
 */
async function main(): Promise<number> {
  const { store } = parseArgs({ options: { store: { type: 'string', default: 'memory' } } }).values;
  const bounds = [40, undefined];
  const gateways = store === 'redis' ? await startRaceGateways(TARGETS, bounds.length * RUNS) : undefined;
  let isGood = true;
  for (const [index, maxTokens] of bounds.entries()) {
    for (let run = 1; run <= RUNS; run++) {
      const race = index * RUNS + run;
      const key = gateways?.keyOf(race);
      const beganAtMs = performance.now();
      const { spentNanoUsd, dearestNanoUsd, answered, refused } = await (gateways === undefined
        ? raceInMemory(run % 2 === 0, maxTokens)
        : budgetRace(gateways.clients, CALLERS, run % 2 === 0, { maxTokens, key }));
      const tookMs = performance.now() - beganAtMs;
      const mostNanoUsd = BUDGET_NANO_USD + (maxTokens === undefined ? dearestNanoUsd : 0n);
      // What has no answer is told within 20 ms.
      await setTimeout(100);
      const bookedNanoUsd = gateways?.bookedBy(race) ?? spentNanoUsd;
      const isRight =
        bookedNanoUsd === spentNanoUsd &&
        spentNanoUsd >= LEAST_NANO_USD &&
        spentNanoUsd <= mostNanoUsd &&
        refused.size === 1;
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
  await gateways?.close();
  return isGood ? 0 : 1;
}

process.exitCode = await main();
