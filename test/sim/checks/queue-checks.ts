import type { Check, Run } from '../facts.ts';
import { TOLERANCE_MS } from '../facts.ts';

/** Admission and concurrency (engine rules A2, A3, L1). */
export const QUEUE_CHECKS: readonly Check[] = [
  {
    number: 28,
    says: 'the calls in flight of a target stay within its limit, and are counted as they are',
    watch: ({ health, slots, runtime }, fail) => ({
      opened: (run, { call }) => {
        const model = slots.get(call.target);
        const limit = model?.limit(runtime.now()) ?? 0;
        if ((model?.inFlight ?? 0) > limit)
          fail(`run ${run.id} is one too many for ${call.target}, which takes ${limit}`);
      },
      settled: () => {
        for (const { target, inFlight } of health()) {
          const really = slots.get(target)?.inFlight;
          if (inFlight !== really) fail(`${target} has ${really} calls in flight, told are ${inFlight}`);
        }
      },
    }),
  },
  {
    number: 29,
    says: 'requests under way and queued stay within their bounds; the queue is in the order of arrival, and waits end in time',
    watch: (facts, fail) => {
      const { admission } = facts.config;
      const active = new Set<Run>();
      const refused = new Set<Run>();
      const queue: Run[] = [];
      const leave = (run: Run): boolean => {
        const index = queue.indexOf(run);
        if (index >= 0) queue.splice(index, 1);
        return index >= 0;
      };
      const admitFirst = (): void => {
        const first = queue.shift();
        if (first !== undefined) active.add(first);
      };
      return {
        asked: (run) => {
          if (facts.drainedAtMs !== undefined) refused.add(run);
          else if (active.size < admission.maxActive) active.add(run);
          else if (queue.length < admission.maxQueued) queue.push(run);
          else refused.add(run);
        },
        opened: (run) => {
          if (refused.has(run)) fail(`run ${run.id} calls, but there was no room for it`);
          if (queue.includes(run) && queue[0] !== run) fail(`run ${run.id} goes before run ${queue[0]?.id}`);
          if (leave(run)) active.add(run);
        },
        settled: (run, result) => {
          const waitedMs = (run.settledAtMs ?? 0) - run.startedAtMs;
          if (refused.has(run) && (result.ok || waitedMs > 0)) fail(`run ${run.id} was to be refused at once`);
          const longestMs = Math.min(admission.maxWaitMs, 0.1 * (run.deadlineAtMs - run.startedAtMs));
          if (leave(run) && result.attempts.length === 0 && waitedMs > longestMs + TOLERANCE_MS) {
            fail(`run ${run.id} waits ${waitedMs} ms in the queue`);
          }
          active.delete(run);
        },
        step: () => {
          if (facts.drainedAtMs !== undefined) return;
          while (active.size < admission.maxActive && queue.length > 0) admitFirst();
          if (active.size > admission.maxActive) fail(`${active.size} requests are under way`);
        },
      };
    },
  },
  {
    number: 36,
    says: 'once the engine goes down nothing is begun, repeated or waited for; what is under way may still go to targets that it has not asked',
    watch: (facts, fail) => ({
      opened: (run, { call, index }) => {
        if (facts.drainedAtMs === undefined) return;
        if (index === 0) fail(`run ${run.id} begins with ${call.target} while the engine goes down`);
        const isTried = run.made.slice(0, index).some((made) => made.call.entry === call.entry);
        if (isTried) fail(`run ${run.id} repeats on ${call.target} while the engine goes down`);
        const before = run.made[index - 1];
        if (before?.record?.failure?.class === 'interrupted')
          fail(`run ${run.id} starts afresh while the engine goes down`);
        // What waited for a repeat goes on in the turn in which the engine begins to go down.
        const isWoken = call.openedAtMs === facts.drainedAtMs;
        if (before !== undefined && !isWoken && before.call.closedAtMs !== call.openedAtMs) {
          fail(`run ${run.id} waits while the engine goes down`);
        }
      },
      settled: (run, result) => {
        const { drainedAtMs } = facts;
        if (drainedAtMs === undefined || run.made.length > 0 || result.ok) return;
        const isLate = (run.settledAtMs ?? 0) > Math.max(drainedAtMs, run.startedAtMs) + TOLERANCE_MS;
        if (isLate) fail(`run ${run.id} waits for the engine that goes down`);
      },
    }),
  },
];
