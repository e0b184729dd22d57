import type { Check } from '../facts.ts';

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
];
