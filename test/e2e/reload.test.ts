import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';

import { describe, expect, onTestFinished, test } from 'vitest';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { say } from '../support/chat-samples.ts';
import { chaosUpstream } from '../support/failover-stage.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import { reloadUnderLoad } from '../support/reloads-under-load.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { rpcError } from '../support/rpc-error.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { get } from '../support/web-calls.ts';

const { generate, streamChat, health } = LlmService.method;
const KEY = 'us_key-of-billing-0123456789';
const OTHER_KEY = 'us_key-of-search-0123456789';
const MOCK = 'targets: [{ name: a, provider: mock, model: mock-ok }]\n';
const READ_AGAIN = 'the configuration was read again';
const REFUSED = 'the configuration cannot be used: what held before stays';

/** Starts a gateway with a file, which is replaced as editors and Kubernetes do: by another one. */
async function running(text: string, others: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  const write = (name: string, content: string): void => {
    writeFileSync(join(folder, `${name}.new`), content);
    renameSync(join(folder, `${name}.new`), join(folder, name));
  };
  for (const [name, content] of Object.entries(others)) write(name, content);
  write('understudy.yaml', text);
  const child = startUnderstudy(['--config', join(folder, 'understudy.yaml')]);
  onTestFinished(() => child.close());
  const doors = await child.doors;
  const client = openRpcClient(doors.grpc);
  onTestFinished(() => client.close());
  const metric = async (name: string): Promise<number> => {
    const { body } = await get(`${doors.admin}/metrics`);
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(body)?.[1]);
  };
  const lines = (): readonly Record<string, unknown>[] =>
    child
      .stdout()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line): Record<string, unknown> => JSON.parse(line));
  return { child, client, write, metric, lines, configure: (config: string) => write('understudy.yaml', config) };
}

const bearer = (key: string) => ({ metadata: { authorization: `Bearer ${key}` } });
const digest = (key: string): string => hash('sha256', key);

test('SIGHUP ends no gateway that has not opened its doors yet', async () => {
  // A store that is reached and says nothing holds the start up for a second.
  const store = createServer();
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  store.on('connection', (socket) => {
    socket.on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    resolve();
  });
  store.listen(0, '127.0.0.1');
  await once(store, 'listening');
  onTestFinished(() => void store.close());
  // A server that listens on a host has an address with a port.
  const { port } = store.address() as AddressInfo;
  const path = join(temporaryFolder(), 'understudy.yaml');
  const callers = `callers: [{ name: a, api_keys: [{ sha256: ${digest(KEY)} }] }]\n`;
  writeFileSync(path, `${MOCK}${callers}limits: { store: "redis://127.0.0.1:${port}" }\n`);
  const child = startUnderstudy(['--config', path]);
  onTestFinished(() => child.close());
  await reached;
  child.kill('SIGHUP');
  expect((await child.doors).web).toMatch(/^http/);
});

describe('a configuration that is read again', () => {
  test('on SIGHUP says that nothing has changed, and cuts no stream', async () => {
    const { child, client } = await running(MOCK.replace('mock-ok', 'mock-slow'));
    const stream = client.stream(streamChat, { messages: [say(Role.USER, 'hello')] });
    await stream.at(1);
    child.kill('SIGHUP');
    await child.printed(`${READ_AGAIN}, and is as it was`);
    expect((await stream.done).at(-1)?.event.case).toBe('finished');
  });

  test('is in force when its file has changed, and says which names have', async () => {
    const { child, client, configure, lines, metric } = await running(MOCK);
    configure(`${MOCK.replace('mock-ok', 'mock-500')}retry: { max_repeats: 0 }\n`);
    await child.printed('"msg":"the configuration was read again');
    expect((await rpcError(client.call(generate, { prompt: 'hello' }))).reason).toBe('ALL_PROVIDERS_FAILED');
    await child.printed('retry changed');
    expect(lines().flatMap((line) => line['understudy.change'] ?? [])).toEqual([
      'target a changed: model, models',
      'retry changed: max_repeats',
    ]);
    expect(await metric('understudy_config_reloads_total')).toBe(1);
  });

  test('and cannot be used leaves the one before in force, is told as at a start, and shows in a metric', async () => {
    const { child, client, configure, lines, metric } = await running(MOCK);
    const startedAtS = await metric('understudy_config_last_reload_success_timestamp_seconds');
    expect(await metric('understudy_config_last_reload_successful')).toBe(1);
    configure('targets: [{ name: a, provider: mokc, model: 7 }]\n');
    await child.printed('targets[0].model');
    expect(lines().flatMap((line) => line['understudy.problem'] ?? [])).toEqual([
      expect.stringMatching(/^targets\[0\]\.provider: must be .* not "mokc"$/),
      expect.stringMatching(/^targets\[0\]\.model: /),
    ]);
    expect(await metric('understudy_config_last_reload_successful')).toBe(0);
    expect(await metric('understudy_config_last_reload_success_timestamp_seconds')).toBe(startedAtS);
    expect((await client.call(generate, { prompt: 'hello' })).text).not.toBe('');
    configure(`${MOCK}retry: { max_repeats: 1 }\n`);
    await child.printed('retry changed: max_repeats');
    expect(await metric('understudy_config_last_reload_successful')).toBe(1);
    expect(await metric('understudy_config_last_reload_success_timestamp_seconds')).toBeGreaterThan(startedAtS);
  });

  test('warns of what holds from the next start on', async () => {
    const { child, configure, lines } = await running(MOCK);
    configure(`${MOCK}server: { reflection: false, drain: { grace: 10s } }\nledger: { sqlite: usage.db }\n`);
    await child.printed('"understudy.setting":"ledger"');
    expect(lines().flatMap((line) => line['understudy.setting'] ?? [])).toEqual(['server.reflection', 'ledger']);
    expect(lines().flatMap((line) => line['understudy.change'] ?? [])).toEqual(['server changed: drain']);
  });

  test('knows other callers, and forgets nothing that the others have spent', async () => {
    const callers = (billing: string, more = ''): string =>
      `${MOCK}callers:\n  - { name: billing, api_keys: [{ sha256: ${digest(KEY)} }], limits: { ${billing} } }\n${more}`;
    const { child, client, configure } = await running(callers('requests_per_minute: 2'));
    const ask = (key: string) => client.call(generate, { prompt: 'hello' }, bearer(key));
    await ask(KEY);
    await ask(KEY);
    expect((await rpcError(ask(KEY))).reason).toMatch(/CALLER_RATE_LIMITED$/);
    configure(
      callers('requests_per_minute: 2', `  - { name: search, api_keys: [{ sha256: ${digest(OTHER_KEY)} }] }\n`),
    );
    await child.printed('caller search added');
    expect((await ask(OTHER_KEY)).text).not.toBe('');
    expect((await rpcError(ask(KEY))).reason).toMatch(/CALLER_RATE_LIMITED$/);
    configure(callers('requests_per_minute: 1000'));
    await child.printed('caller search removed');
    expect((await rpcError(ask(OTHER_KEY))).reason).toMatch(/AUTH_INVALID$/);
    expect((await ask(KEY)).text).not.toBe('');
  });

  test('asks who calls from then on where callers are named for the first time, and no more where they are not', async () => {
    const { child, client, configure } = await running(MOCK);
    await client.call(generate, { prompt: 'hello' });
    configure(`${MOCK}callers: [{ name: billing, api_keys: [{ sha256: ${digest(KEY)} }] }]\n`);
    await child.printed('caller billing added');
    expect((await rpcError(client.call(generate, { prompt: 'hello' }))).reason).toMatch(/AUTH_REQUIRED$/);
    expect((await client.call(generate, { prompt: 'hello' }, bearer(KEY))).text).not.toBe('');
    configure(MOCK);
    await child.printed('caller billing removed');
    expect((await client.call(generate, { prompt: 'hello' })).text).not.toBe('');
  });

  test('takes its prices from a file that is replaced', async () => {
    const prices = (input: string, date: string): string =>
      `version: mine-${date}\nmodels:\n  - { provider: mock, model: '*', source: ours, date: ${date}, prices: { input: '${input}', output: '0' } }\n`;
    const { child, client, write, metric } = await running(`${MOCK}prices_file: prices.yaml\n`, {
      'prices.yaml': prices('1', '2026-11-01'),
    });
    const cost = async () => (await client.call(generate, { prompt: 'hello' })).cost;
    const [before, beforeS] = [await cost(), await metric('understudy_price_table_timestamp_seconds')];
    expect(before?.priceTableVersion).toMatch(/^mine-2026-11-01\+/);
    expect(beforeS).toBe(Date.UTC(2026, 10, 1) / 1_000);
    write('prices.yaml', prices('10', '2026-11-30'));
    await child.printed('prices_file changed');
    const after = await cost();
    expect(after?.nanoUsd).toBe(10n * (before?.nanoUsd ?? 0n));
    expect((await metric('understudy_price_table_timestamp_seconds')) - beforeS).toBe(29 * 86_400);
    write('prices.yaml', prices('ten', '2026-11-30'));
    await child.printed(REFUSED);
    expect((await cost())?.nanoUsd).toBe(after?.nanoUsd);
  });

  test('has another key when the file of the secret is another one behind its links, and tells no key', async () => {
    const provider = await chaosUpstream();
    provider.otherwise(() => goodAnswer(false, 'hello'));
    const folder = temporaryFolder();
    const rotate = (version: string): void => {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, 'key'), `sk-planted-${version}\n`);
      symlinkSync(`..${version}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    rotate('one');
    symlinkSync(join('..data', 'key'), join(folder, 'key'));
    const target = `{ name: a, provider: openai, api: chat_completions, model: m, base_url: ${provider.origin}/v1, api_key: "\${file:${folder}/key}" }`;
    const { child, client } = await running(`targets: [${target}]\n`);
    await client.call(generate, { prompt: 'hello', options: { maxTokens: 2 } });
    rotate('two');
    await child.printed('target a changed: api_key');
    await client.call(generate, { prompt: 'hello', options: { maxTokens: 2 } });
    const sent = await Promise.all([provider.request(0), provider.request(1)]);
    expect(sent.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer sk-planted-one',
      'Bearer sk-planted-two',
    ]);
    expect(provider.connectionCount).toBe(1);
    expect(child.stdout() + child.stderr()).not.toContain('planted');
  });

  test('names its targets to whoever asks for health', async () => {
    const { child, client, configure } = await running(MOCK);
    configure(MOCK.replace('}]', '}, { name: b, provider: mock }]'));
    await child.printed('target b added');
    const { providers } = await client.call(health, {});
    expect(providers.map(({ target }) => target)).toEqual(['a', 'b']);
  });
});

test('no call fails, no circuit is forgotten and no key is told while keys change again and again under load', async () => {
  const outcome = await reloadUnderLoad({ reloads: 7, everyMs: 0, streams: 10, streamMs: 1_500, callers: 4 });
  expect(outcome).toMatchObject({
    failures: {},
    timesForgotten: 0,
    isKeyTold: false,
    reloads: { changed: 6, refused: 1, unchanged: 0 },
  });
  expect(outcome.keys).toBeGreaterThan(5);
  expect(outcome.streams).toBeGreaterThanOrEqual(10);
});
