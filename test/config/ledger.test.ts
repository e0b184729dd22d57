import { resolve } from 'node:path';

import { describe, expect, test } from 'vitest';

import { configErrorOf, loadEnvironment, loadText } from './loading.ts';

const DAY_MS = 86_400_000;

describe('the section ledger', () => {
  test('is off where it is not there, and on with --demo, in the folder where that was started', () => {
    expect(loadText('').ledger).toBeUndefined();
    const isOptional = true;
    const demo = { store: { sqlite: resolve('usage.db') }, journal: resolve('usage.db.journal'), isOptional };
    expect(loadEnvironment({}, { demo: true }).ledger).toEqual(demo);
    expect(loadText('', {}, { demo: true }).ledger).toEqual(demo);
  });

  test('has paths relative to the file, and a journal beside its database', () => {
    expect(loadText('ledger: { sqlite: data/usage.db, keep: 400d }', {}, { demo: true }).ledger).toEqual({
      store: { sqlite: '/etc/data/usage.db' },
      journal: '/etc/data/usage.db.journal',
      keepMs: 400 * DAY_MS,
      isOptional: false,
    });
    const placed = 'ledger: { sqlite: /var/lib/usage.db, journal: /var/spool/usage }';
    expect(loadText(placed).ledger).toMatchObject({
      store: { sqlite: '/var/lib/usage.db' },
      journal: '/var/spool/usage',
    });
  });

  test('takes the URL of PostgreSQL from the environment', () => {
    const url = 'postgres://user:secret@db:5432/usage?sslmode=require';
    const { ledger } = loadText('ledger:\n  postgres: ${DATABASE_URL}\n', { DATABASE_URL: url });
    expect(ledger).toEqual({ store: { postgres: url }, journal: '/etc/usage.journal', isOptional: false });
  });

  test.each([
    ['ledger: {}', 'ledger: must have either sqlite or postgres'],
    ['ledger: { sqlite: a, postgres: "postgres://db/b" }', 'ledger: must have either sqlite or postgres'],
    ['ledger: { sqlite: a, keep: 3 months }', 'ledger.keep: must be whole days from 1d to 36500d'],
    ['ledger: { sqlite: a, keep: 40000d }', 'ledger.keep: must be whole days from 1d to 36500d'],
    ['ledger: { sqlite: "" }', 'ledger.sqlite: must be a path'],
    ['ledger: { postgres: "mysql://user:hush-hush@db/b" }', 'ledger.postgres: must be a URL such as postgres://'],
  ])('refuses %s', (text, words) => {
    const message = configErrorOf(() => loadText(text));
    expect(message).toContain(words);
    expect(message).not.toContain('hush-hush');
  });
});
