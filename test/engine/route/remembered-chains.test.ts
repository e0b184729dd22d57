import { describe, expect, test, vi } from 'vitest';

import { RememberedChains } from '../../../src/engine/route/remembered-chains.ts';
import type { RouteTable, RoutingWish } from '../../../src/engine/route/route.ts';
import { chooseChain } from '../../../src/engine/route/route.ts';

const NOTHING: RoutingWish = {
  model: '',
  route: '',
  targets: [],
  preferredProvider: '',
  disableFallback: false,
  exactModel: false,
};

/** Targets of which each has the models that `models` has now. */
function tableOf(names: readonly string[], models = new Set<string>()) {
  const learnt = { count: 0 };
  const target = (name: string) => ({
    name,
    provider: 'openai',
    model: `${name}-model`,
    isConfigured: (model: string) => model === `${name}-model`,
    has: (model: string) => models.has(model),
    contextWindow: () => undefined,
  });
  const table: RouteTable = {
    targets: new Map(names.map((name) => [name, target(name)])),
    routes: new Map([['default', names.map((name) => ({ target: name }))]]),
    learnt: () => learnt.count,
  };
  return { table, learnt, models };
}

function remembering(table: RouteTable) {
  const remembered = new RememberedChains();
  const choose = vi.fn((wish: RoutingWish) => chooseChain(wish, table));
  return { choose, ask: (wish: RoutingWish) => remembered.choose(wish, table, () => choose(wish)) };
}

describe('a chain that was chosen before', () => {
  test('is the same for the same wish, and is chosen once', () => {
    const { ask, choose } = remembering(tableOf(['one', 'two']).table);

    expect(ask(NOTHING)).toBe(ask({ ...NOTHING }));
    expect(ask({ ...NOTHING, targets: ['two'] })).toBe(ask({ ...NOTHING, targets: ['two'] }));
    expect(choose).toHaveBeenCalledTimes(2);
  });

  test.for([
    { model: 'gpt-5' },
    { targets: ['two'] },
    { preferredProvider: 'two' },
    { disableFallback: true },
    { model: 'gpt-5', exactModel: true },
  ])('is another for the wish %o', (wish) => {
    const { table } = tableOf(['one', 'two']);
    const { ask } = remembering(table);
    ask(NOTHING);

    expect(ask({ ...NOTHING, ...wish })).toStrictEqual(chooseChain({ ...NOTHING, ...wish }, table));
  });

  test('is another for another table', () => {
    const remembered = new RememberedChains();
    const chainIn = ({ table }: ReturnType<typeof tableOf>) =>
      remembered.choose(NOTHING, table, () => chooseChain(NOTHING, table));

    expect(chainIn(tableOf(['one']))).toMatchObject([{ target: 'one' }]);
    expect(chainIn(tableOf(['two']))).toMatchObject([{ target: 'two' }]);
  });

  test('is chosen anew once more is known of models', () => {
    const { table, learnt, models } = tableOf(['one', 'two']);
    const { ask, choose } = remembering(table);
    const wish = { ...NOTHING, model: 'found' };
    expect(ask(wish)).toMatchObject([{ target: 'one', circuit: 'other' }, { target: 'two' }]);

    models.add('found');
    learnt.count += 1;

    expect(ask(wish)).toMatchObject([
      { target: 'one', circuit: 'found' },
      { target: 'two', circuit: 'found' },
    ]);
    expect(choose).toHaveBeenCalledTimes(2);
  });

  test('is none where the wish is refused: that is looked at each time', () => {
    const { ask, choose } = remembering(tableOf(['one']).table);

    expect(ask({ ...NOTHING, route: 'none' })).toMatchObject({ reason: 'ROUTE_NOT_FOUND' });
    expect(ask({ ...NOTHING, route: 'none' })).toMatchObject({ reason: 'ROUTE_NOT_FOUND' });
    expect(choose).toHaveBeenCalledTimes(2);
  });

  test('is forgotten where callers name models without end', () => {
    const { ask, choose } = remembering(tableOf(['one']).table);
    const first = ask(NOTHING);
    for (let index = 0; index < 256; index += 1) ask({ ...NOTHING, model: `made-up-${index}` });
    choose.mockClear();

    expect(ask(NOTHING)).toStrictEqual(first);
    expect(choose).toHaveBeenCalledTimes(1);
  });
});

test('an entry that stands twice in a route is in its chain once, in its first place', () => {
  const { table } = tableOf(['one', 'two']);
  const entries = [
    { target: 'two' },
    { target: 'one', model: 'a' },
    { target: 'two' },
    { target: 'one' },
    { target: 'one', model: 'a' },
  ];
  const routes = new Map([['default', entries]]);

  expect(chooseChain(NOTHING, { ...table, routes })).toMatchObject([
    { target: 'two', model: 'two-model' },
    { target: 'one', model: 'a' },
    { target: 'one', model: 'one-model' },
  ]);
});
