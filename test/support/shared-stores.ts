import { InProcessLimits } from '../../src/callers/memory/in-process-limits.ts';
import { SharedLimits } from '../../src/callers/redis/shared-limits.ts';
import type { LimitStoreConfig } from '../../src/config/port/limit-store-config.ts';
import { Cohort } from '../../src/core/cohort.ts';
import { system } from '../../src/system.ts';

/** A store of limits as one gateway has it. */
export interface OpenStore {
  readonly store: SharedLimits;
  readonly messages: readonly string[];
  /** Resolves when it has said something that matches. */
  said(pattern: RegExp): Promise<void>;
}

/** Opens a store of limits over a server, with a timeout that a busy machine keeps. */
export function openSharedStore(url: string, changes: Partial<LimitStoreConfig> = {}): OpenStore {
  const messages: string[] = [];
  let listener = (): void => undefined;
  const store = new SharedLimits({
    config: { urls: [url], isCluster: false, timeoutMs: 5_000, failureMode: 'closed', keyPrefix: 'test', ...changes },
    system,
    cohort: new Cohort(system),
    meanwhile: new InProcessLimits(system),
    told: (message) => {
      messages.push(message);
      listener();
    },
  });
  return {
    store,
    messages,
    said: (pattern) =>
      new Promise((resolve) => {
        listener = () => {
          if (messages.some((message) => pattern.test(message))) resolve();
        };
        listener();
      }),
  };
}
