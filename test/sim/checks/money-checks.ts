import { CostSource } from '../../../gen/understudy/v1/usage_pb.ts';
import { Accounting } from '../../../src/pricing/accounting.ts';
import type { AttemptRecord } from '../../../src/engine/port/call.ts';
import { PriceFallback } from '../../../src/pricing/price-fallback.ts';
import { createPriceTable } from '../../../src/pricing/price-table.ts';
import { UNNAMED_MODELS } from '../unnamed.ts';
import type { Check, Facts, Run } from '../facts.ts';
import type { CallFacts } from '../sim-call.ts';

/** The prompt of every request. */
const PROMPT = { bytes: 350, messages: 1, mediaTokens: 0 };
/** Nano-USD for a token of the prompt and of the answer. */
const INPUT_NANO_USD = 1_000n;
const OUTPUT_NANO_USD = 2_000n;

/** What money is reckoned from (engine rule D3). */
export const MONEY_CHECKS: readonly Check[] = [
  {
    number: 21,
    says: 'every call that may have reached a provider is told once, with what the provider counted and what it said',
    watch: ({ runs, health }, fail) => ({
      ended: (run, { call }, record) => {
        if (record.failure?.neverSent === true && call.plan.fault !== 'refused' && call.plan.fault !== 'certificate') {
          fail(`call ${call.id} of run ${run.id} is told as never sent`);
        }
        if (record.outputBytes !== call.bytes) {
          fail(`call ${call.id} of run ${run.id} is told with ${record.outputBytes} of ${call.bytes} bytes`);
        }
        if (JSON.stringify(record.usage) !== JSON.stringify(call.usage)) {
          fail(`call ${call.id} of run ${run.id} is told with another usage`);
        }
      },
      settled: (run, result) => {
        const sent = run.made.some(({ call }) => call.error?.neverSent !== true);
        if (!result.ok && result.failure.contacted !== sent) {
          fail(`run ${run.id} says ${result.failure.contacted ? 'that' : 'not that'} it has reached a provider`);
        }
        if (result.ok && JSON.stringify(result.usage) !== JSON.stringify(run.made.at(-1)?.call.usage)) {
          fail(`run ${run.id} reports another usage than the one of its answer`);
        }
      },
      quiet: () => {
        for (const { target, requests, tokensUsed } of health()) {
          const calls = runs.flatMap(({ made }) => made.filter(({ call }) => call.target === target));
          const tokens = calls.reduce((sum, { call }) => sum + (call.usage?.totalTokens ?? 0), 0);
          if (requests !== calls.length) fail(`${target} had ${calls.length} calls, told are ${requests}`);
          if (tokensUsed !== tokens) fail(`${target} counted ${tokens} tokens, told are ${tokensUsed}`);
        }
      },
    }),
  },
  {
    number: 21.1,
    says: 'every call is charged once, for what was counted, and marked where that is an estimate; a request costs the sum',
    watch: (facts, fail) => {
      const accounting = newAccounting(facts);
      const spent = new Map<string, bigint>();
      const charge = (record: AttemptRecord): bigint => accounting.account(record, PROMPT)?.nanoUsd ?? -1n;
      return {
        ended: (run, { call }, record) => {
          const cost = accounting.account(record, PROMPT);
          const wrong = wrongCost(call, record, cost?.nanoUsd, cost?.source);
          if (wrong !== undefined) fail(`call ${call.id} of run ${run.id} ${wrong}`);
          spent.set(call.target, (spent.get(call.target) ?? 0n) + (cost?.nanoUsd ?? 0n));
        },
        settled: (run, { attempts }) => {
          const told = attempts.filter(({ kind }) => kind !== 'SKIPPED');
          if (sum(told.map(charge)) !== sum(recordsOf(run).map(charge))) fail(`run ${run.id} does not cost its calls`);
        },
        quiet: () => {
          for (const target of facts.tape.targets) {
            const told = accounting.costOfTarget(target) ?? 0n;
            if (told !== (spent.get(target) ?? 0n)) fail(`${target} has cost ${spent.get(target)}, told are ${told}`);
          }
        },
      };
    },
  },
];

function newAccounting({ runtime, tape }: Facts): Accounting {
  const overrides = tape.targets.map((target) => ({
    target,
    prices: [`${target}-model`, ...UNNAMED_MODELS].map((model) => {
      return { model, input: '1', cachedInput: '1', cacheWrite: '1', output: '2' };
    }),
  }));
  const nothing = new PriceFallback(() => Promise.reject(new Error('no library')));
  return new Accounting(createPriceTable({ overrides }), nothing, () => runtime.wall());
}

/** What is wrong with what a call is said to cost, held against what its upstream knows. */
function wrongCost(
  call: CallFacts,
  { failure, outputBytes }: AttemptRecord,
  nanoUsd: bigint | undefined,
  source: CostSource | undefined,
): string | undefined {
  if (nanoUsd === undefined || nanoUsd < 0n) return 'costs nothing that is known';
  if (call.error?.neverSent === true) return nanoUsd === 0n ? undefined : 'costs, but was never sent';
  const isWhole = failure === undefined || outputBytes === 0 || call.sawTerminal;
  const { inputTokens, outputTokens } = call.usage ?? {};
  if (inputTokens === undefined || outputTokens === undefined) {
    return source === CostSource.EXACT && failure === undefined ? 'is an estimate, but not told as one' : undefined;
  }
  const countedNanoUsd = BigInt(inputTokens) * INPUT_NANO_USD + BigInt(outputTokens) * OUTPUT_NANO_USD;
  if (isWhole && failure === undefined && nanoUsd !== countedNanoUsd)
    return `costs ${nanoUsd}, counted ${countedNanoUsd}`;
  return isWhole && source !== CostSource.EXACT ? 'was counted, but is told as an estimate' : undefined;
}

function recordsOf(run: Run): AttemptRecord[] {
  return run.made.flatMap(({ record }) => (record === undefined ? [] : [record]));
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((all, amount) => all + amount, 0n);
}
