import type { Account } from '../account.ts';
import { reckon } from '../account.ts';
import { live } from '../live.ts';
import type { Rival } from '../rival.ts';
import { makeScenario } from '../scenarios.ts';
import { UNDERSTUDY_EXHAUST_FIRST } from '../understudy.ts';

/** What one seed of a scenario came to: an account for each policy, by its name. */
export interface Figures {
  readonly seed: number;
  readonly requests: number;
  /** The most of them under way at a time, whatever the policy. */
  readonly mostAtATime: number;
  readonly policies: Readonly<Record<string, Account>>;
}

/** What several seeds came to, by the names of scenarios. */
export type FiguresOf = Readonly<Record<string, readonly Figures[]>>;

/** Lives one seed of a scenario through with every policy. */
export async function figuresOf(name: string, seed: number, rivals: readonly Rival[]): Promise<Figures> {
  const scenario = makeScenario(name, seed);
  const policies: Record<string, Account> = {};
  let mostAtATime = 0;
  for (const rival of rivals) {
    if (rival === UNDERSTUDY_EXHAUST_FIRST && !scenario.exhaustFirst) continue;
    const history = await live(scenario, rival);
    mostAtATime = Math.max(mostAtATime, history.mostAtATime);
    policies[rival.name] = reckon(scenario, history);
  }
  return { seed, requests: scenario.tape.requests.length, mostAtATime, policies };
}

/** Returns one figure of a policy over all seeds that have it. */
export function figuresFor(figures: readonly Figures[], policy: string, key: keyof Account): readonly number[] {
  return figures.flatMap(({ policies }) => {
    const figure = policies[policy]?.[key];
    return figure === undefined ? [] : [figure];
  });
}
