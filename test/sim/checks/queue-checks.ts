import type { Check, Run } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';
import { QueueModel } from '../model/queue-model.ts';

/**
 * Hears of runs that call, while by the model they still wait: who gives a slot back may be told to have ended only behind
 * that, but in the same event. Tells who else was given a slot in that event, where somebody was.
 */
function watchLetIn(model: QueueModel, wrongly: (run: Run, instead: Run | undefined) => void) {
  const early = new Set<Run>();
  const look = (run: Run): void => {
    if (early.has(run) && model.queue.includes(run)) wrongly(run, [...model.given].at(-1));
  };
  return {
    opened: (run: Run): void => {
      if (model.queue.includes(run)) early.add(run);
    },
    settled: (run: Run): void => {
      look(run);
      model.ended(run);
    },
    step: (): void => {
      for (const run of early) look(run);
      early.clear();
      model.forgetGiven();
    },
  };
}

/** Admission and concurrency (engine rules A2, A3, A5, L1). */
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
    number: 28.1,
    says: 'requests under way and queued stay within their bounds and the shares of their keys, and waits end in time',
    watch: (facts, fail) => {
      const { admission } = facts.config;
      const model = new QueueModel(facts);
      const letIn = watchLetIn(model, (run, instead) => {
        if (instead === undefined) fail(`run ${run.id} is let in, but its key may have no slot`);
      });
      return {
        asked: (run) => {
          model.asked(run);
        },
        opened: (run) => {
          if (model.refused.has(run)) fail(`run ${run.id} calls, but there was no room for it`);
          letIn.opened(run);
        },
        settled: (run, result) => {
          const settledAtMs = run.settledAtMs ?? 0;
          const waitedMs = settledAtMs - run.startedAtMs;
          if (model.refused.has(run) && (result.ok || waitedMs > 0)) fail(`run ${run.id} was to be refused at once`);
          const longestMs = Math.min(admission.maxWaitMs, 0.1 * (run.deadlineAtMs - run.startedAtMs));
          const lateMs = heldUpMs(facts, run.startedAtMs, settledAtMs);
          const hasWaited = model.queue.includes(run) && result.attempts.length === 0;
          if (hasWaited && waitedMs > longestMs + lateMs + TOLERANCE_MS) {
            fail(`run ${run.id} waits ${waitedMs} ms in the queue`);
          }
          const isTurnedAway = !result.ok && result.failure.reason === 'OVERLOADED' && result.attempts.length === 0;
          if (isTurnedAway && model.active.has(run)) fail(`run ${run.id} is turned away, but there is room`);
          if (isTurnedAway && hasWaited && waitedMs < longestMs - TOLERANCE_MS) {
            fail(`run ${run.id} is turned away after ${waitedMs} ms, before its wait is over`);
          }
          letIn.settled(run);
        },
        step: () => {
          letIn.step();
        },
      };
    },
  },
  {
    number: 29,
    says: 'slots go to the keys that wait in turns, and of one key nobody is admitted before one who came earlier',
    watch: (facts, fail) => {
      const model = new QueueModel(facts);
      const letIn = watchLetIn(model, (run, instead) => {
        if (instead !== undefined) fail(`run ${run.id} is let in, but it was the turn of run ${instead.id}`);
      });
      return {
        asked: (run) => {
          model.asked(run);
        },
        opened: (run) => {
          letIn.opened(run);
        },
        settled: (run) => {
          letIn.settled(run);
        },
        step: () => {
          letIn.step();
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
