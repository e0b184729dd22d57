import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { InstalledPackage } from '../../clients/typescript/test/support/packed-package.ts';
import { installPacked, run } from '../../clients/typescript/test/support/packed-package.ts';
import packageJson from '../../package.json' with { type: 'json' };

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = new URL('../support/packed-program.mjs', import.meta.url);

/** The files of the status page, which are not compiled. */
const PAGE = 'dist/src/server/status/page/';

/** What looks like a secret, or like a folder of the machine that packed. */
const PRIVATE = [/\bsk-[\w-]{20,}/, /-----BEGIN [A-Z ]*PRIVATE KEY/, /\bghp_\w{20,}/, /\/home\/|\/Users\//];

const CONSUMER = `
import { ConfigError, createGateway, type EmbeddedGateway } from 'understudy';
import { Role } from 'understudy/v1/chat';
import type { ChatResponse } from 'understudy/v1/llm';
import { CostSource } from 'understudy/v1/usage';

const gateway: EmbeddedGateway = createGateway({
  config: { targets: [{ name: 'lead', provider: 'openai', api_key: 'key', timeouts: { first_output: '5s' } }] },
});
export async function ask(signal: AbortSignal): Promise<bigint | undefined> {
  const request = { messages: [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: 'Hi' } }] }] };
  const { cost }: ChatResponse = await gateway.chat(request, { signal, timeoutMs: 5_000 });
  return cost?.source === CostSource.EXACT ? cost.nanoUsd : undefined;
}
export async function firstWords(): Promise<string> {
  for await (const { event } of gateway.streamChat({ messages: [] })) {
    if (event.case === 'textDelta') return event.value.text;
  }
  return '';
}
export function problemsOf(error: unknown): readonly string[] {
  return error instanceof ConfigError ? error.problems.map(({ path }) => path) : [];
}
// @ts-expect-error: no such field
void gateway.chat({ prompt: 'x' });
// @ts-expect-error: no such provider
createGateway({ config: { targets: [{ name: 'x', provider: 'nobody' }] } });
`;

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPacked(REPOSITORY);
}, 600_000);

afterAll(() => installed.remove());

describe('the packed gateway', () => {
  test('works in a plain program outside the repository, which it lets end by itself', async () => {
    const { folder } = installed;
    await cp(PROGRAM, join(folder, 'program.mjs'));
    const { stdout, stderr } = await run(process.execPath, ['--no-strip-types', 'program.mjs'], {
      cwd: folder,
      env: { OPENAI_API_KEY: 'sk-not-to-be-read' },
    });
    expect(stderr).toBe('');
    const told: unknown = JSON.parse(stdout);
    expect(told).toEqual({
      generated: {
        text: expect.stringMatching(/\w+ \w+/),
        target: 'understudy',
        tokens: expect.any(Number),
        cost: expect.any(Number),
        trail: ['lead PROVIDER_AUTH_FAILED', 'understudy UNSPECIFIED'],
      },
      chatted: { text: expect.stringMatching(/\w+ \w+/), role: 'ASSISTANT' },
      events: ['started', 'textDelta'],
      refused: { name: 'ConnectError', message: expect.stringMatching(/^\[invalid_argument\] .*options\.temperature/) },
      health: ['lead', 'understudy'].map((target) => ({ target, inFlight: 0 })),
      version: packageJson.version,
      models: ['mock-ok'],
      fault: { isConfigError: true, message: expect.stringMatching(/^targets\[0\]\.provider: .*"nobody"$/m) },
      unconfigured: expect.stringMatching(/^\[failed_precondition\] /),
      mocked: { provider: 'deepseek', text: 'Who is there?' },
    });
    expect(stdout).toContain('routess');
    expect(stdout).not.toContain('sk-planted');
  });

  test('has types that compile strictly, those of its dependencies included', async () => {
    await writeFile(join(installed.folder, 'consumer.ts'), CONSUMER);
    await installed.typecheck('nodenext', 'consumer.ts');
  });

  test('is found in order by publint and attw, and has no second package.json', async () => {
    await installed.lint();
    expect(installed.files.filter((path) => path.endsWith('package.json'))).toEqual(['package.json']);
  });

  test('has a command that tells its version', async () => {
    const command = join(installed.root, packageJson.bin.understudy);
    const { stdout, stderr } = await run(process.execPath, ['--no-strip-types', command, '--version'], { env: {} });
    expect({ stdout, stderr }).toEqual({ stdout: `${packageJson.version}\n`, stderr: '' });
  });

  test('has commands that call a gateway', async () => {
    const command = join(installed.root, packageJson.bin.understudy);
    const args = ['--no-strip-types', command, 'generate', '-a', '127.0.0.1:1', 'Hi'];
    const ended = run(process.execPath, args, { env: {} });
    await expect(ended).rejects.toMatchObject({ code: 4, stderr: expect.stringContaining('(ECONNREFUSED)') });
    const { stdout } = await run(process.execPath, ['--no-strip-types', command, 'check', '--json'], {
      env: { UNDERSTUDY_MOCK: '1', OPENAI_API_KEY: 'sk-not-to-be-told' },
    });
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, targets: [{ name: 'openai', host: 'mock', key: 'set' }] });
    expect(stdout).not.toContain('sk-not');
  });

  test('holds what runs, the contract and its licences, and nothing else', async () => {
    const { files } = installed;
    const top = new Set(files.map((path) => path.split('/')[0]));
    const documents = [
      'LICENSE',
      'README.md',
      'descriptor.binpb',
      'package.json',
      'understudy.example.yaml',
      'understudy.schema.json',
    ];
    expect(top).toEqual(new Set(documents.concat(['bin', 'dist', 'proto', 'third_party'])));
    const page = files.filter((path) => path.startsWith(PAGE)).map((path) => path.slice(PAGE.length));
    expect(page.sort()).toEqual((await readdir(join(REPOSITORY, 'src/server/status/page'))).sort());
    const code = files.filter((path) => path.startsWith('dist/') && !path.startsWith(PAGE));
    const kinds = code.filter((path) => !/\.(js|d\.ts|json)$/.test(path));
    expect(kinds).toEqual([]);
    expect(files.filter((path) => /(^|\/)(test|tests|smoke|bench|node_modules|\.[^/]+)(\/|$)/.test(path))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['proto/understudy/v1/llm.proto', 'third_party/LICENSE']));
  });

  test('holds nothing that was compiled from what is no more', async () => {
    const compiled = installed.files.filter((path) => /^dist\/(src|gen)\/.*\.js$/.test(path) && !path.startsWith(PAGE));
    expect(compiled.length).toBeGreaterThan(100);
    const sources = await Promise.all(
      compiled.map((path) =>
        readFile(join(REPOSITORY, path.replace(/^dist\//, '').replace(/\.js$/, '.ts'))).then(
          () => undefined,
          () => path,
        ),
      ),
    );
    expect(sources.filter((path) => path !== undefined)).toEqual([]);
  });

  test('holds no secret and no path of the machine that packed it', async () => {
    const patterns = [...PRIVATE, new RegExp(RegExp.escape(REPOSITORY))];
    for (const path of installed.files) {
      const text = await readFile(join(installed.root, path), 'utf8');
      for (const pattern of patterns) expect(pattern.exec(text)?.[0], path).toBeUndefined();
    }
  });
});
