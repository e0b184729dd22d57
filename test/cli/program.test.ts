import { describe, expect, test } from 'vitest';

import { parseCommandLine } from '../../src/cli/program.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { providerDefaults } from '../../src/config/port/provider-defaults.ts';
import { PROVIDERS } from '../../src/core/provider.ts';

const parse = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  parseCommandLine(argv, { env, version: '1.2.3' });

/** Returns what is said of a command line that is refused. */
function refusalOf(argv: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  try {
    parse(argv, env);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('it was understood');
}

function printed(argv: readonly string[]): string {
  const line = parse(argv);
  if (line.name !== 'print') throw new Error(`it is ${line.name}`);
  return line.text;
}

describe('the command line', () => {
  test.each([
    [[], { isImplied: true, flags: { logFormat: 'auto' } }],
    [['--demo'], { isImplied: true, flags: { demo: true } }],
    [['serve', '--demo'], { isImplied: false, flags: { demo: true } }],
    [['--config', 'a.yaml', '--demo'], { isImplied: true, flags: { config: 'a.yaml', demo: true } }],
    [['--config=a=b.yaml'], { isImplied: true, flags: { config: 'a=b.yaml' } }],
    [['--log-format', 'json'], { isImplied: true, flags: { logFormat: 'json' } }],
  ])('%j serves', (argv, expected) => {
    expect(parse(argv)).toMatchObject({ name: 'serve', ...expected });
  });

  test('chat and generate take words and flags in any order', () => {
    const argv = ['Say', '--max-tokens', '5', 'hello.', '-m', 'a/b', '-t', 'x', '-t', 'y', '--temperature=0.5'];
    const rest = ['--reasoning-effort', 'xhigh', '--restart', '--timeout', '90s', '-H', 'x-request-id: 1', '--json'];
    for (const name of ['chat', 'generate']) {
      expect(parse([name, ...argv, ...rest])).toMatchObject({
        name,
        words: ['Say', 'hello.'],
        flags: {
          maxTokens: 5,
          model: 'a/b',
          target: ['x', 'y'],
          temperature: 0.5,
          reasoningEffort: 'xhigh',
          restart: true,
          timeout: 90_000,
          header: ['x-request-id: 1'],
          json: true,
          address: '127.0.0.1:50051',
        },
      });
    }
    expect(parse(['chat', '--', '--demo', '-x'])).toMatchObject({ words: ['--demo', '-x'] });
    expect(parse(['chat', 'x', '--no-stream'])).toMatchObject({ flags: { stream: false } });
    expect(parse(['chat', 'x'])).not.toHaveProperty('flags.stream');
  });

  test('a number alone is a timeout in seconds', () => {
    expect(parse(['health', '--timeout', '3'])).toMatchObject({ flags: { timeout: 3_000, interval: 2_000 } });
    expect(parse(['models', '--timeout', '250ms'])).toMatchObject({ flags: { timeout: 250 } });
  });

  test('times of usage are those of UTC', () => {
    const usage = parse(['usage', '--from', '2026-11', '--to', '2026-11-30T14:00:00+01:00', '--by', 'day,label:team']);
    expect(usage).toMatchObject({
      flags: { from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 30, 13), by: 'day,label:team' },
    });
    expect(parse(['usage'])).toMatchObject({ flags: { by: 'caller,model' } });
    expect(parse(['usage'])).not.toHaveProperty('flags.from');
  });

  test('the address comes from its flag, then from the environment', () => {
    const env = { UNDERSTUDY_ADDRESS: 'https://there:443' };
    expect(parse(['health'], env)).toMatchObject({ flags: { address: 'https://there:443' } });
    expect(parse(['health', '-a', 'here:1'], env)).toMatchObject({ flags: { address: 'here:1' } });
    expect(parse(['serve'], env)).not.toHaveProperty('flags.address');
  });

  test.each([
    [['--dmeo'], '--dmeo is not a flag; did you mean --demo?'],
    [['-x'], '-x is not a flag; `understudy --help` lists them'],
    [['chat', '--tempreature', '1'], '--tempreature is not a flag; did you mean --temperature?'],
    [['health', '--zzzzzz'], '--zzzzzz is not a flag; `understudy health --help` lists them'],
    [
      ['--address', 'x:1', 'chat'],
      '--address is not a flag; flags stand behind the command: understudy chat --address',
    ],
    [['chta'], '"chta" is not a command; did you mean chat?'],
    [['help', 'chta'], 'that is not a command; `understudy --help` lists them'],
    [['Say hello.'], 'that is not a command; `understudy --help` lists them'],
    [['serve', 'now'], 'only flags are expected; `understudy serve --help` lists them'],
    [['check', 'now'], 'only flags are expected; `understudy check --help` lists them'],
    [['--config'], "option '--config <file>' argument missing"],
  ])('%j is refused', (argv, message) => {
    expect(refusalOf(argv)).toBe(message);
  });

  test.each([
    [['--config', '--demo'], 'needs the path of a file'],
    [['--config='], 'needs the path of a file'],
    [['--config', 'a', '--config', 'b'], 'given twice'],
    [['chat', '--max-tokens', 'many'], 'whole number'],
    [['chat', '--temperature', '1e5'], 'a number'],
    [['chat', '--reasoning-effort', 'huge'], 'Allowed choices are none, minimal'],
    [['chat', '--timeout', 'soon'], 'must be a duration'],
    [['--log-format', 'xml'], 'Allowed choices are auto, text, json'],
    [['usage', '--from', 'yesterday'], 'must be a time such as'],
    [['usage', '--by', 'caller,colour'], 'must be a list of caller, group'],
    [['usage', '--by', 'label'], 'label:NAME'],
  ])('%j has a value that cannot be used', (argv, words) => {
    expect(refusalOf(argv)).toContain(words);
    expect(refusalOf(argv)).not.toContain('\n');
  });

  test('what may be a secret is not repeated', () => {
    expect(refusalOf(['--api-key=sk-hidden'])).not.toContain('sk-hidden');
    expect(refusalOf(['sk-hidden'])).not.toContain('sk-hidden');
    expect(refusalOf(['serve', 'sk-hidden'])).not.toContain('sk-hidden');
    const env = { UNDERSTUDY_API_KEY: 'plain-words-as-key' };
    expect(refusalOf(['chat', '--timeout', 'plain-words-as-key'], env)).not.toContain('plain-words-as-key');
  });
});

describe('help', () => {
  test('is there at every level, with the exit status of what calls a gateway', () => {
    for (const argv of [['--help'], ['-h'], ['help']]) {
      expect(printed(argv)).toMatch(/^Usage: understudy COMMAND/);
      for (const name of ['serve', 'check', 'generate', 'chat', 'health', 'models', 'usage']) {
        expect(printed(argv)).toMatch(new RegExp(`^ {2}${name} `, 'm'));
        expect(printed([name, '--help'])).toBe(printed(['help', name]));
      }
    }
    for (const name of ['generate', 'chat', 'health', 'models', 'usage']) {
      for (const words of ['Exit status:', 'UNDERSTUDY_ADDRESS', 'UNDERSTUDY_API_KEY', '--address', '--ca', '--json']) {
        expect(printed([name, '--help'])).toContain(words);
      }
    }
    expect(printed(['--version'])).toBe('1.2.3\n');
  });

  test('of serve has every flag and variable', () => {
    const variables = PROVIDERS.map(providerDefaults).flatMap(({ required, optional }) => required.concat(optional));
    const ours = ['MOCK', 'CONFIG', 'GRPC_ADDRESS', 'HTTP_ADDRESS', 'ADMIN_ADDRESS', 'ALLOW_UNAUTHENTICATED'];
    const flags = ['--demo', '--config', '--log-format', '--help'];
    for (const word of [...variables, ...ours.map((name) => `UNDERSTUDY_${name}`), ...flags]) {
      expect(printed(['serve', '--help'])).toContain(word);
    }
  });
});
