import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';

import { DEFAULT_MODELS, fiveProviders, INSTALLED_MODELS, KEYS } from '../support/five-providers.ts';
import { WRITTEN } from '../support/five-stories.ts';
import type { ReplayServer } from '../support/replay-server.ts';
import { startReplayServer } from '../support/replay-server.ts';

const PROGRAM = fileURLToPath(new URL('../../smoke/run.ts', import.meta.url));
const NOBODY = 'No provider is configured. Set OPENAI_API_KEY or another key, or try --demo.\n';

interface Run {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the smoke test to its end, with nothing in its environment but what is given here. */
async function smoke(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const [code]: unknown[] = await once(child, 'close');
  return { code, ...output };
}

async function replayServer(): Promise<ReplayServer> {
  const server = await startReplayServer();
  onTestFinished(() => server.close());
  return server;
}

describe('the smoke test', () => {
  test('with --demo calls the mock, and says what came', async () => {
    const { code, stdout, stderr } = await smoke(['--demo']);
    const [line, ...rest] = stdout.split('\n');
    expect(line).toMatch(/^mock \(mock, mock-ok\) … ok: mock-ok, \d+ ms, [1-9]\d* tokens, \$0\.\d{9}, "[^"]+"$/);
    expect(rest).toEqual(['1 passed, 0 failed', '']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test('calls each target that the environment configures, once and alone', async () => {
    const { origin, route, requests } = await replayServer();
    route('/api/tags', INSTALLED_MODELS);
    route('/api/chat', WRITTEN.ollama.answer.reply);
    route('/v1/chat/completions', WRITTEN.openai.answer.reply);
    route('/chat/completions', WRITTEN.deepseek.answer.reply);
    route('/v1/messages', WRITTEN.anthropic.fault.reply);
    // Empty is as unset.
    const { code, stdout, stderr } = await smoke([], { ...fiveProviders(origin), AZURE_OPENAI_ENDPOINT: '' });
    expect(stdout.replaceAll(/\d+ ms/g, 'N ms').split('\n')).toEqual([
      'warning: azure-openai is left out: AZURE_OPENAI_ENDPOINT is not set, although AZURE_OPENAI_API_KEY, AZURE_OPENAI_DEPLOYMENT are set',
      // At these hosts nobody knows the prices.
      'openai (openai, gpt-6.1-sol) … ok: gpt-6.1-sol-2026-09-29, N ms, 10 tokens, cost unknown, "from OpenAI"',
      'anthropic (anthropic, claude-sonnet-5-5) … failed: Internal ALL_PROVIDERS_FAILED Every provider that could be asked has failed. [401 authentication_error]',
      'deepseek (deepseek, deepseek-flash) … ok: deepseek-chat, N ms, 150 tokens, cost unknown, "from DeepSeek"',
      `ollama (ollama, (first installed)) … ok: ${DEFAULT_MODELS.ollama}, N ms, 16 tokens, $0.000000000, "from Ollama"`,
      '3 passed, 1 failed',
      '',
    ]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(requests.map(({ path }) => path)).toEqual([
      '/v1/chat/completions',
      '/v1/messages',
      '/chat/completions',
      '/api/tags',
      '/api/chat',
    ]);
    for (const key of Object.values(KEYS)) expect(stdout).not.toContain(key);
  });

  test.each<{ name: string; args: string[]; env: Record<string, string>; stdout?: string; stderr: RegExp }>([
    { name: 'no provider is configured', args: [], env: {}, stdout: NOBODY, stderr: /^$/ },
    {
      name: 'the configuration is wrong',
      args: [],
      env: { OPENAI_API_KEY: KEYS.openai, OPENAI_BASE_URL: 'ftp://example.com' },
      stderr: /^OPENAI_BASE_URL: must be a URL [^\n]*\n$/,
    },
    {
      name: 'the file is not there',
      args: ['--config', 'nowhere.yaml'],
      env: {},
      stderr: /^[^\n]*nowhere\.yaml[^\n]*\n$/,
    },
    { name: 'a flag is not known', args: ['--nope'], env: {}, stderr: /^[^\n]*--nope[^\n]*\n$/ },
  ])('exits with 2 where $name', async ({ args, env, stdout = '', stderr }) => {
    const run = await smoke(args, env);
    expect(run).toMatchObject({ code: 2, stdout });
    expect(run.stderr).toMatch(stderr);
    expect(run.stderr).not.toContain(KEYS.openai);
  });

  test('tells how to use it', async () => {
    const { code, stdout } = await smoke(['--help']);
    expect(stdout).toMatch(/^Usage: npm run smoke/);
    expect(code).toBe(0);
  });
});
