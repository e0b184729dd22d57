import type { Check } from '../facts.ts';

/** What must be left when nothing runs any more: nothing. */
export const QUIESCENCE_CHECKS: readonly Check[] = [
  {
    number: 10.1,
    says: 'every call is closed once and every attempt told',
    watch: ({ runs }, fail) => ({
      quiet: () => {
        for (const run of runs) {
          const open = run.made.filter(({ call, record }) => call.closedBy === undefined || record === undefined);
          if (open.length > 0) fail(`run ${run.id} leaves ${open.length} calls open`);
          if (run.settledAtMs === undefined) fail(`run ${run.id} has no end`);
        }
      },
    }),
  },
  {
    number: 11,
    says: 'no timer, listener or slot is left',
    watch: ({ health, listeners, pendingTimers }, fail) => ({
      quiet: () => {
        if (pendingTimers() > 0) fail(`${pendingTimers()} timers run`);
        if (listeners() > 0) fail(`${listeners()} listeners are left`);
        for (const { target, inFlight } of health()) {
          if (inFlight !== 0) fail(`${inFlight} calls of ${target} are in flight`);
        }
      },
    }),
  },
];
