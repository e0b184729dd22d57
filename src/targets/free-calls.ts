import type { FreeCheck } from '../engine/target/checks/free-check.ts';
import type { Target } from './target.ts';

/**
 * Makes the free calls that tell whether targets that are suspended or refused by their circuits can be used again: what to ask is
 * the adapter's, to send it the upstream's.
 */
export function createFreeCheck(targets: Pick<ReadonlyMap<string, Target>, 'get'>): FreeCheck {
  return {
    covers: (name, reason) => {
      const healthCheck = targets.get(name)?.adapter.healthCheck;
      return healthCheck !== undefined && (reason === 'CIRCUIT_OPEN' || healthCheck.tells.includes(reason));
    },
    run: async (name, signal) => {
      const { adapter: { healthCheck } = {}, upstream } = targets.get(name) ?? {};
      if (healthCheck === undefined) return 'unknown';
      const reply = await upstream?.ask({ path: healthCheck.path }, signal);
      return reply === undefined || reply.status >= 500 ? 'down' : healthCheck.read(reply.status, reply.body);
    },
  };
}
