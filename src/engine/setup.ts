import type { Runtime } from '../core/ports.ts';
import type { CircuitBreakerConfig, EngineConfig, EngineTarget } from './port/config.ts';
import type { KeptKnowledge } from './port/kept-knowledge.ts';
import { Cooldown } from './target/cooldown.ts';
import { Pacing } from './target/pacing.ts';
import type { Account } from './target/state.ts';
import { TargetState } from './target/state.ts';

/** What a call is run by from its beginning to its end, whatever is configured meanwhile. */
export interface EngineSetup {
  readonly config: EngineConfig;
  readonly states: ReadonlyMap<string, TargetState>;
}

/**
 * Sets an engine up for its targets. What is kept of a target is one and the same thing before and after, so that the attempts under
 * way there count in both.
 *
 * @param before what held until now
 * @param keptOf how much of what is known of a target, by its name, still holds
 */
export function setUp(
  targets: readonly EngineTarget[],
  config: EngineConfig,
  runtime: Runtime,
  before?: EngineSetup,
  keptOf: (target: string) => KeptKnowledge = () => 'NOTHING',
): EngineSetup {
  const accounts = new Map<string, Account>();
  for (const { limitGroup } of targets) {
    if (accounts.has(limitGroup)) continue;
    const members = targets.filter((target) => target.limitGroup === limitGroup);
    accounts.set(limitGroup, accountOf(members, runtime, before, keptOf));
  }
  const states = targets.map((target): readonly [string, TargetState] => {
    const account = accounts.get(target.limitGroup) ?? newAccount(runtime);
    const known = keptOf(target.name) === 'NOTHING' ? undefined : before?.states.get(target.name);
    const isSame = known !== undefined && known.cooldown === account.cooldown && isSameTarget(known.target, target);
    return [target.name, isSame ? known : new TargetState(target, account, config, runtime, known)];
  });
  if (before !== undefined && !isSameBreaker(before.config.circuitBreaker, config.circuitBreaker)) {
    for (const [, { circuits }] of states) circuits.configure(config.circuitBreaker);
  }
  return { config, states: new Map(states) };
}

/** An account stays as it is known where it is that of one of its targets before, and none of them has another key. */
function accountOf(
  members: readonly EngineTarget[],
  runtime: Runtime,
  before: EngineSetup | undefined,
  keptOf: (target: string) => KeptKnowledge,
): Account {
  const known = members.flatMap((member) => {
    const state = keptOf(member.name) === 'NOTHING' ? undefined : before?.states.get(member.name);
    return state?.target.limitGroup === member.limitGroup ? [state] : [];
  });
  const hasOtherKey = members.some(({ name }) => keptOf(name) === 'ALL_BUT_ACCOUNT');
  const [first] = known;
  if (first !== undefined && !hasOtherKey) return { cooldown: first.cooldown, pacing: first.pacing };
  const account = newAccount(runtime);
  // A rate limit may be that of the new key as well; a suspension is what a new key cures (engine rule K10).
  const coolsForMs = Math.max(0, ...known.map(({ cooldown }) => cooldown.coolsForMs()));
  if (coolsForMs > 0) account.cooldown.cool(coolsForMs);
  return account;
}

function newAccount(runtime: Runtime): Account {
  const now = (): number => runtime.now();
  return { cooldown: new Cooldown(now, () => runtime.random()), pacing: new Pacing(now) };
}

function isSameTarget(one: EngineTarget, other: EngineTarget): boolean {
  return (
    one.name === other.name &&
    one.provider === other.provider &&
    one.limitGroup === other.limitGroup &&
    one.ownHost === other.ownHost
  );
}

function isSameBreaker(one: CircuitBreakerConfig, other: CircuitBreakerConfig): boolean {
  return (
    one.failures === other.failures &&
    one.windowMs === other.windowMs &&
    one.cooldownMs === other.cooldownMs &&
    one.probes === other.probes &&
    one.guard === other.guard
  );
}
