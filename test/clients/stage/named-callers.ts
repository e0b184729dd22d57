import { hash } from 'node:crypto';

import type { ConfigInput } from '../../../src/config/file/schema.ts';
import type { ProcessDoors } from '../../support/understudy-process.ts';

/** A caller of the gateway that asks who calls. */
export type CallerKind = 'spent' | 'rated' | 'busy' | 'unknown';

/** A key whose calls are refused. */
export interface UsedUpKey {
  readonly key: string;
  /** Lets its calls through again, where calls under way are in the way. */
  release(): void;
}

/** The gateway that asks who calls. */
export interface NamedCallersGateway {
  /** `host:port` */
  readonly address: string;
  /** Uses up the budget, the rate or the calls at a time of a caller. */
  useUp(caller: CallerKind): Promise<UsedUpKey>;
}

/** The rate of one comes back within a minute, so that each use takes a new one. */
const RATED = 30;
const PRICES = ['mock-ok', 'mock-silence'].map((model) => ({ model, input: '1', output: '333' }));

const keyOf = (name: string): string => `us_conformance_${name}`;
const named = (name: string) => ({ name, api_keys: [{ sha256: hash('sha256', keyOf(name)) }] });

/** What it is started with. An answer of its mock costs about a cent. */
export const NAMED_CALLERS_CONFIG: ConfigInput = {
  targets: [{ name: 'mock', provider: 'mock', model: 'mock-ok', prices: PRICES }],
  callers: [
    { ...named('spent'), budget: { usd: '0.01', per: 'month' } },
    { ...named('busy'), limits: { concurrent_calls: 1 } },
    ...Array.from({ length: RATED }, (_, index) => ({
      ...named(`rated-${index}`),
      limits: { requests_per_minute: 1 },
    })),
  ],
};

/** Wraps the gateway that was started with {@link NAMED_CALLERS_CONFIG}. */
export function namedCallersGateway({ grpc, web }: ProcessDoors): NamedCallersGateway {
  let rated = 0;
  const call = async (key: string, model: string, signal?: AbortSignal): Promise<boolean> => {
    const response = await fetch(`${web}/understudy.v1.LlmService/Generate`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
      body: JSON.stringify({ prompt: 'Say hello.', model }),
      signal: signal ?? null,
    });
    await response.text();
    return response.ok;
  };
  return {
    address: grpc,
    useUp: async (caller) => {
      const key = keyOf(caller === 'rated' ? `rated-${rated++ % RATED}` : caller);
      const held = new AbortController();
      if (caller === 'busy') void call(key, 'mock-silence', held.signal).catch(() => false);
      while (await call(key, 'mock-ok'));
      return { key, release: () => held.abort() };
    },
  };
}
