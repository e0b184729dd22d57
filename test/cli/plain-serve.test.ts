import { expect, test } from 'vitest';

import { readPlainServe } from '../../src/cli/plain-serve.ts';
import { parseCommandLine } from '../../src/cli/program.ts';

test.each([
  [[]],
  [['serve']],
  [['--demo']],
  [['serve', '--config', 'a.yaml', '--demo']],
  [['--log-format', 'json', '--config', 'a b']],
  [['serve', '--log-format', 'text', '--log-format', 'auto']],
])('%j is read as the library reads it', (argv) => {
  const read = readPlainServe(argv);
  expect(read).toBeDefined();
  expect(read).toEqual(parseCommandLine(argv, { env: {}, version: '1' }));
});

test.each([
  [['--help']],
  [['--version']],
  [['chat']],
  [['serve', 'now']],
  [['--config']],
  [['--config', '--demo']],
  [['--config=a']],
  [['--config', 'a', '--config', 'b']],
  [['--log-format', 'xml']],
  [['--', '--demo']],
])('%j is left to the library', (argv) => {
  expect(readPlainServe(argv)).toBeUndefined();
});
