import { describe, expect, test } from 'vitest';

import { HELP, parseArguments } from '../../src/config/arguments.ts';
import { providerDefaults } from '../../src/config/port/provider-defaults.ts';
import { PROVIDERS } from '../../src/core/provider.ts';

const NONE = { demo: false, help: false, version: false, config: undefined };

describe('the command line', () => {
  test.each([
    [[], NONE],
    [['--demo'], { ...NONE, demo: true }],
    [['--help'], { ...NONE, help: true }],
    [['-h'], { ...NONE, help: true }],
    [['--version'], { ...NONE, version: true }],
    [['--config', 'a.yaml', '--demo'], { ...NONE, config: 'a.yaml', demo: true }],
    [['--config=a=b.yaml'], { ...NONE, config: 'a=b.yaml' }],
  ])('%j is understood', (argv, expected) => {
    expect(parseArguments(argv)).toEqual(expected);
  });

  test.each([
    [['--config'], '--config needs the path of a file'],
    [['--config='], '--config needs the path of a file'],
    [['--config', '--demo'], '--config needs the path of a file'],
    [['--config', 'a', '--config', 'b'], '--config was given twice'],
    [['--demo=yes'], '--demo takes no value'],
    [['--domo'], '--domo is not a flag; --help lists them'],
    [['-x'], '-x is not a flag; --help lists them'],
    [['--api-key=sk-hidden'], '--api-key is not a flag; --help lists them'],
    [['sk-hidden'], 'only flags are expected; --help lists them'],
    [[''], 'only flags are expected; --help lists them'],
  ])('%j is refused', (argv, message) => {
    expect(parseArguments(argv)).toBe(message);
  });

  test('is explained with every flag and variable', () => {
    const variables = PROVIDERS.map(providerDefaults).flatMap(({ required, optional }) => required.concat(optional));
    const ours = ['MOCK', 'CONFIG', 'GRPC_ADDRESS', 'HTTP_ADDRESS', 'ADMIN_ADDRESS', 'ALLOW_UNAUTHENTICATED'];
    for (const word of [
      ...variables,
      ...ours.map((name) => `UNDERSTUDY_${name}`),
      '--demo',
      '--config',
      '--help',
      '--version',
    ]) {
      expect(HELP).toContain(word);
    }
  });
});
