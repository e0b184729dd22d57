import { describe, expect, test } from 'vitest';

import { ForcedStateSchema } from '../../gen/understudy/v1/admin_pb.ts';
import prices from '../../src/pricing/prices.json' with { type: 'json' };
import models from '../../src/providers/models/models.json' with { type: 'json' };
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';

describe('the README', () => {
  const rows = tableBelow(readFromRoot('README.md'), '## Money');

  test.each(rows)('tells the prices of %s as they are', (named, ...told) => {
    const [name = ''] = named.split(' ');
    const entry = prices.models.find(({ provider, model }) => model === name || provider === name.toLowerCase());
    // Where two prices are told, the second is that of long prompts or of busy hours.
    const others = [entry?.peak?.prices ?? entry?.tiers?.[0]?.prices].slice(0, named.includes('/') ? 1 : 0);
    const [input, cached, output] = (['input', 'cached_input', 'output'] as const).map((kind) =>
      [entry?.prices, ...others].map((of) => Number(of?.[kind])),
    );
    expect(told.map((cell) => cell.split(' / ').map(Number))).toEqual([input, cached, output]);
  });

  test('has such a table', () => {
    expect(rows.length).toBeGreaterThan(4);
  });
});

describe('docs/models.md', () => {
  test('shows an entry as the catalogue has it', () => {
    const [, block = ''] = readFromRoot('docs/models.md').split('```json');
    const shown: unknown = JSON.parse(block.split('```', 1)[0] ?? '');
    const { source, ...entry } = models.models.find(({ model }) => model === 'gpt-6.1-sol') ?? { source: '' };
    expect(source).not.toBe('');
    expect(shown).toMatchObject(entry);
  });
});

describe('docs/admin-service.md', () => {
  test('has every state that an operator can force', () => {
    const states = ForcedStateSchema.values.filter(({ name }) => name !== 'FORCED_STATE_UNSPECIFIED');
    const told = tableBelow(readFromRoot('docs/admin-service.md'), '# The admin service').map(([state]) => state);
    expect(new Set(told)).toEqual(new Set(states.map(({ name }) => `\`${name}\``)));
  });
});
