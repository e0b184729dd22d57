import { expect, test } from 'vitest';

import type { ShownCredentials } from '../../../src/callers/port/credentials.ts';
import { digested, directoryOf, found } from './directories.ts';

const [KEY, OTHER, WRONG] = ['us_one', 'us_other', 'us_wrong'];

test('what a connection shows is whose it is without one, whatever it has shown before', async () => {
  const directory = directoryOf([{ apiKeys: [digested(KEY)] }, { name: 'search', apiKeys: [digested(OTHER)] }]);
  const all: readonly ShownCredentials[] = [
    { authorization: `Bearer ${KEY}` },
    { authorization: `bearer ${KEY}` },
    { apiKey: KEY },
    { apiKey: OTHER },
    { authorization: `Bearer ${KEY}`, apiKey: KEY },
    { authorization: `Bearer ${KEY}`, apiKey: OTHER },
    { apiKey: WRONG },
    { authorization: `Basic ${KEY}` },
    { apiKey: '' },
    {},
  ];
  for (const before of all) {
    for (const shown of all) {
      const connection = {};
      await found(directory.identify({ ...before, connection }));
      const plain = await found(directory.identify(shown));
      expect(await found(directory.identify({ ...shown, connection }))).toBe(plain);
      expect(await found(directory.identify({ ...shown, connection }))).toBe(plain);
    }
  }
  directory.close();
});

test('a connection whose key expires is known no longer', async () => {
  let wallMs = 1_000;
  const directory = directoryOf([{ apiKeys: [digested(KEY, 2_000)] }], { wall: () => wallMs });
  const shown = { apiKey: KEY, connection: {} };
  expect(await found(directory.identify(shown))).toBe('billing');
  wallMs = 2_000;
  expect(await found(directory.identify(shown))).toBe('expired_key');
  directory.close();
});
