import type { Check, Facts, Made, Run } from '../facts.ts';
import { BucketModel } from '../model/bucket-model.ts';
import { isFreeOfCharge } from '../model/judge.ts';

/** What repeats and restarts may add to the load of a target (engine rules R1, R2). */
export const BUDGET_CHECKS: readonly Check[] = [
  {
    number: 12,
    says: 'in any interval repeats on a target stay within 10 + 0.2 per first visit + 0.5 per second',
    watch: (facts, fail) => {
      const bucketOf = buckets(() => new BucketModel(10, 0.2, 0.5));
      return {
        opened: (run, made) => {
          const { target, entry } = made.call;
          const nowMs = facts.runtime.now();
          const isTried = run.made.slice(0, made.index).some(({ call }) => call.entry === entry);
          if (!isTried) bucketOf(target).visited(nowMs);
          else if (!isFree(facts, run, made) && !bucketOf(target).take(nowMs))
            fail(`run ${run.id} repeats on ${target}`);
        },
      };
    },
  },
  {
    number: 12.1,
    says: 'restarts of broken streams stay within 5 + 0.05 per first visit + 2 for each that another target completes, 20 at most',
    watch: (facts, fail) => {
      const bucketOf = buckets(() => new BucketModel(5, 0.05, 0));
      const isLimited = facts.config.retry.order !== 'EXHAUST_FIRST';
      /** Of each request the stream that broke off last, whether its target could pay for another beginning, and whether one came. */
      const broken = new Map<Run, { readonly target: string; readonly isPaid: boolean; isBegunAnew: boolean }>();
      return {
        ended: (run, { call: { target } }, { failure }) => {
          const last = broken.get(run);
          if (failure === undefined && last?.isBegunAnew === true && last.isPaid && last.target !== target) {
            bucketOf(last.target).giveBack(facts.runtime.now(), 2, 20);
          }
          if (failure?.class !== 'interrupted' || run.asked.onBroken !== 'RESTART' || !isLimited) return;
          const isPaid = bucketOf(target).take(facts.runtime.now());
          broken.set(run, { target, isPaid, isBegunAnew: false });
        },
        opened: (run, made) => {
          const last = broken.get(run);
          if (last?.isBegunAnew === false && !last.isPaid)
            fail(`run ${run.id} starts an answer of ${last.target} afresh`);
          if (last !== undefined) last.isBegunAnew = true;
          const isTried = run.made.slice(0, made.index).some(({ call }) => call.entry === made.call.entry);
          if (!isTried) bucketOf(made.call.target).visited(facts.runtime.now());
        },
        settled: (run) => {
          const last = broken.get(run);
          if (last?.isBegunAnew === false && last.isPaid) bucketOf(last.target).giveBack(facts.runtime.now(), 1, 20);
          broken.delete(run);
        },
      };
    },
  },
];

function isFree({ config }: Facts, run: Run, made: Made): boolean {
  return config.retry.order === 'EXHAUST_FIRST' || isFreeOfCharge(run, made);
}

function buckets(make: () => BucketModel): (target: string) => BucketModel {
  const made = new Map<string, BucketModel>();
  return (target) => {
    const bucket = made.get(target) ?? make();
    made.set(target, bucket);
    return bucket;
  };
}
