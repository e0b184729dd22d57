import { rmSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/port/resolved.ts';
import { ConfigReload, type ReloadOutcome } from '../../../src/config/reload/config-reload.ts';
import { NotedReads } from '../../../src/files/noted-reads.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

const FILE = 'targets: [{ name: a, provider: openai, api_key: "${SECRET}" }]\n';

/** A configuration of files in a folder that is read again when a test says so. */
function reloading(apply: (config: Config) => Promise<void> = () => Promise.resolve()) {
  const folder = temporaryFolder();
  const env: Record<string, string> = { SECRET: 'sk-planted-one', OPENAI_API_KEY: 'sk-planted-one' };
  const write = (text: string): void => writeFileSync(join(folder, 'understudy.yaml'), text);
  write(FILE);
  const load = (readFile: NotedReads['read']): Promise<Config> =>
    Promise.resolve().then(() => loadConfig({ env, readFile, configPath: join(folder, 'understudy.yaml') }));
  const reads = new NotedReads();
  const config = loadConfig({ env, readFile: reads.read, configPath: join(folder, 'understudy.yaml') });
  const runtime = createVirtualRuntime({ nowMs: 0 });
  const outcomes: ReloadOutcome[] = [];
  const applied: Config[] = [];
  const faults: unknown[] = [];
  const reload = new ConfigReload({
    config,
    reads,
    load,
    apply: async (next) => {
      await apply(next);
      applied.push(next);
    },
    happened: (outcome) => void outcomes.push(outcome),
    fault: (thrown) => void faults.push(thrown),
    timers: {
      setIdleTimer: (ms, fire) => runtime.setTimer(ms, fire),
      clearTimer: (timer) => runtime.clearTimer(timer),
    },
    env,
  });
  onTestFinished(() => reload.stop());
  return { folder, env, write, reload, outcomes, applied, faults, config, runtime };
}

describe('a configuration that is asked for again', () => {
  test('says by name what of the log is another', async () => {
    const { reload, write, outcomes, applied } = reloading();
    write(`${FILE}log: { level: warn, good_calls: 0.01 }\n`);
    await reload.reload();
    expect(outcomes).toMatchObject([{ changed: ['log changed: level, good_calls'], needRestart: [] }]);
    expect(applied.at(-1)?.log).toEqual({ level: 'warn', goodShare: 0.01 });
  });

  test('is put in force where it has changed, and only there', async () => {
    const { reload, env, outcomes, applied } = reloading();
    await reload.reload();
    env['SECRET'] = 'sk-planted-two';
    await reload.reload();
    await reload.reload();
    expect(outcomes.map((outcome) => outcome.kind === 'read' && outcome.changed)).toEqual([
      [],
      ['target a changed: api_key'],
      [],
    ]);
    expect(applied).toHaveLength(1);
    expect(reload.config.targets[0]?.apiKey).toBe('sk-planted-two');
  });

  test('stays as it was where the file is wrong, or is not there, in the words of a start', async () => {
    const { reload, write, outcomes, config, folder } = reloading();
    write('targets: [{ name: a, provider: openai, api_key: "${GONE}", retries: 3 }]');
    await reload.reload();
    write('targets: [');
    await reload.reload();
    rmSync(join(folder, 'understudy.yaml'));
    await reload.reload();
    expect(outcomes).toMatchObject([
      {
        kind: 'refused',
        problems: [
          'targets[0].api_key: the environment variable GONE is not set',
          expect.stringMatching(/^targets\[0\]/),
        ],
      },
      { kind: 'refused', problems: [expect.stringMatching(/^understudy\.yaml:\d+:\d+: /)] },
      { kind: 'refused', problems: [expect.stringMatching(/cannot read .* \(ENOENT\)$/)] },
    ]);
    expect(reload.config).toBe(config);
  });

  test('tells no key where a file is wrong that has one in it', async () => {
    const { reload, write, outcomes } = reloading();
    write('targets: [{ name: "${SECRET}", provider: "${SECRET}", model: "${SECRET}" }]');
    await reload.reload();
    expect(outcomes[0]?.kind).toBe('refused');
    expect(JSON.stringify(outcomes)).not.toContain('planted');
  });

  test('is asked for once more, and not more often, where somebody asks while it is read', async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    const { reload, env, outcomes } = reloading(() => goOn);
    env['SECRET'] = 'sk-planted-two';
    const asked = [reload.reload(), reload.reload(), reload.reload()];
    resolve();
    await Promise.all(asked);
    expect(outcomes.length).toBeLessThanOrEqual(2);
    expect(reload.config.targets[0]?.apiKey).toBe('sk-planted-two');
  });

  test('is not taken for good where it could not be put in force', async () => {
    const { reload, env, outcomes, faults, config } = reloading(() => Promise.reject(new Error('planted-words')));
    env['SECRET'] = 'sk-planted-two';
    await reload.reload();
    expect(outcomes).toEqual([{ kind: 'refused', problems: ['(a fault of the gateway)'] }]);
    expect([faults.length, reload.config]).toEqual([1, config]);
  });

  test('is read again when the file of keys is mended for which it was refused', async () => {
    const { reload, write, outcomes, folder, runtime } = reloading();
    const keys = join(folder, 'keys.yaml');
    writeFileSync(keys, `- { caller: gone, sha256: "${'0'.repeat(64)}" }\n`);
    write(`${FILE}callers: [{ name: billing }, { name: gone }]\napi_keys_file: keys.yaml\n`);
    await reload.reload();
    write(`${FILE}callers: [{ name: billing }]\napi_keys_file: keys.yaml\n`);
    await reload.reload();
    writeFileSync(keys, `- { caller: billing, sha256: "${'0'.repeat(64)}" }\n`);
    // The system's clock is the test's; the disk takes the time that it takes.
    const look = async (): Promise<readonly string[]> => {
      await runtime.advance(200);
      return outcomes.map(({ kind }) => kind);
    };
    await expect.poll(look).toEqual(['read', 'refused', 'read']);
  });

  test('is not read again for public keys that have been replaced, which who knows callers by them follows', async () => {
    const { reload, write, outcomes, folder, runtime } = reloading();
    const keys = join(folder, 'keys.json');
    writeFileSync(keys, '{ "keys": [] }');
    write(`${FILE}callers: [{ name: billing, jwt: { issuer: i, audience: a, jwks: keys.json } }]\n`);
    await reload.reload();
    writeFileSync(keys, '{ "keys": [{ "kty": "OKP" }] }');
    for (let looks = 0; looks < 20; looks += 1) {
      await runtime.advance(1_000);
      // Behind the look, which asks the disk as well.
      await stat(keys);
    }
    expect(outcomes).toHaveLength(1);
  });

  test('is read no more once that is stopped', async () => {
    const { reload, env, outcomes } = reloading();
    reload.stop();
    env['SECRET'] = 'sk-planted-two';
    await reload.reload();
    expect(outcomes).toEqual([]);
  });
});
