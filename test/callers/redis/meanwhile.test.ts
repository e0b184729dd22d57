import { expect, test } from 'vitest';

import { HeldToLimits } from '../../../src/callers/limits/held-to-limits.ts';
import { InProcessLimits } from '../../../src/callers/memory/in-process-limits.ts';
import type { LimitStore } from '../../../src/callers/port/limit-store.ts';
import { Meanwhile } from '../../../src/callers/redis/meanwhile.ts';
import { callerOf, CENT, cents } from '../../support/caller-accounts.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

/** A token costs a cent, and an answer is taken for ten. */
const OPEN = { most: 10n * CENT, least: 0n, open: { tokens: 10, price: 1_000_000n * CENT } };

test.each(['never', 'when it grows', 'until it grows'])(
  'an answer that grows while the store is gone leaves nothing reserved (the store is there %s)',
  async (there) => {
    const runtime = createVirtualRuntime();
    const own = new InProcessLimits(runtime);
    const meanwhile = new Meanwhile(own, runtime);
    let isThere = there === 'until it grows';
    const store: LimitStore = {
      enter: (accounts, tokens) => meanwhile.enter(accounts, tokens),
      leave: (...args) => void meanwhile.leave(...args),
      reserve: async (accounts, nanoUsd) => (isThere ? undefined : meanwhile.reserve(accounts, nanoUsd, [])),
      settle: (...args) => meanwhile.settle(...args),
      onReturn: (...args) => own.onReturn(...args),
      close: () => own.close(),
    };
    const limits = new HeldToLimits(store, runtime);
    const caller = callerOf('a', { budgets: [cents(100)] });
    const call = await limits.enter(caller, { promptTokens: 0 });
    if (call === undefined || 'reason' in call) throw new Error('refused');
    const claim = call.claim(OPEN, 1_000);
    if (claim === undefined || !('decided' in claim)) throw new Error('not asked');
    expect(await claim.decided).toBeUndefined();
    if (there !== 'never') isThere = !isThere;
    call.grown(20, () => expect.unreachable());
    await runtime.settle();
    call.settle(0n);
    call.leave(undefined);
    expect(own.reserve(caller.accounts, 100n * CENT)).toBeUndefined();
  },
);
