import type { Check } from '../facts.ts';

/** A conversation stays where it was answered (engine rule A6). */
export const AFFINITY_CHECKS: readonly Check[] = [
  {
    number: 14.3,
    says: 'a conversation is taken up first by the target that gave its last answer, and is told when it moves, and why',
    watch: (_facts, fail) => ({
      settled: (run, result) => {
        const [first] = run.entries;
        const [record] = result.attempts;
        if (record !== undefined && record.entry !== first)
          fail(`run ${run.id} begins with ${record.entry.target}, not with ${first?.target}`);
        if (!result.ok) return;
        const { attempts, serving, movedConversation: moved } = result;
        const from = run.answeredBefore === serving.target ? undefined : run.answeredBefore;
        if (moved?.from !== from) fail(`run ${run.id} has moved from ${from}, and tells ${moved?.from}`);
        const left = attempts.findLast(({ entry, failure }) => entry.target === from && failure !== undefined);
        if (moved?.reason !== left?.failure?.reason) fail(`run ${run.id} does not tell why it has moved`);
      },
    }),
  },
];
