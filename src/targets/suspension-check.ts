import type { SuspensionCheck } from '../engine/target/suspension-checks.ts';
import type { Target } from './target.ts';

/** Makes the free calls that tell whether suspended targets can be used again: what to ask is the adapter's, to send it the upstream's. */
export function createSuspensionCheck(targets: ReadonlyMap<string, Target>): SuspensionCheck {
  return {
    covers: (name, reason) => targets.get(name)?.adapter.healthCheck?.tells.includes(reason) ?? false,
    run: async (name, signal) => {
      const { adapter: { healthCheck } = {}, upstream } = targets.get(name) ?? {};
      if (healthCheck === undefined) return 'unknown';
      const reply = await upstream?.ask({ path: healthCheck.path }, signal);
      return reply === undefined ? 'unknown' : healthCheck.read(reply.status, reply.body);
    },
  };
}
