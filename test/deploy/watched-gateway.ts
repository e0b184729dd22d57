import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { stringify } from 'yaml';

import { valueAt } from '../../src/config/port/problem.ts';
import { freePort } from '../support/free-port.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

/** A real gateway under calls that go well and badly, and a real Prometheus that scrapes it. */
export interface WatchedGateway {
  /** Asks an endpoint of Prometheus' HTTP API; returns its `data`. */
  ask(path: string, query?: Readonly<Record<string, string>>): Promise<unknown>;
  close(): Promise<void>;
}

const KEY = 'a-key-of-this-test';
/** So many scrapes of a gateway that is called: Prometheus needs two for a rate, and evaluates its rules as often. */
const SCRAPES = 8;
/** What takes longer than this, in milliseconds, hangs. */
const LONGEST_MS = 120_000;
const PAUSE_MS = 100;
const RULES = fileURLToPath(new URL('../../deploy/prometheus/rules.yaml', import.meta.url));

/** Models of the mock that show what panels are for. */
const FAULTS = ['mock-429-then-ok', 'mock-500', 'mock-500-then-ok'];
const MODELS = [undefined, undefined, ...FAULTS];

/** Starts both, and returns when calls have been made for a while. */
export async function watchGateway(prometheus: string): Promise<WatchedGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-watched-'));
  const config = join(folder, 'understudy.yaml');
  // Who has a budget is not sent to models whose price nobody knows.
  const prices = FAULTS.map((model) => ({ model, input: '1.00', output: '2.00' }));
  const budget = { usd: '100.00', per: 'day' };
  writeFileSync(
    config,
    stringify({
      targets: ['openai', 'anthropic'].map((provider) => ({
        name: provider,
        provider,
        api_key: 'none',
        mock: true,
        prices,
      })),
      callers: [
        { name: 'billing', api_keys: [{ sha256: hash('sha256', KEY) }], budget, limits: { requests_per_minute: 60 } },
      ],
      ledger: { sqlite: join(folder, 'usage.db') },
    }),
  );
  const gateway = startUnderstudy(['serve', '--config', config]);
  const { web, admin } = await gateway.doors;
  const port = await freePort();
  const scrape = { job_name: 'understudy', static_configs: [{ targets: [admin.replace('http://', '')] }] };
  const settings = join(folder, 'prometheus.yml');
  const every = { scrape_interval: '1s', evaluation_interval: '1s' };
  writeFileSync(settings, stringify({ global: every, rule_files: [RULES], scrape_configs: [scrape] }));
  const listen = `--web.listen-address=127.0.0.1:${port}`;
  const watcher = spawn(prometheus, [`--config.file=${settings}`, `--storage.tsdb.path=${folder}/data`, listen], {
    stdio: 'ignore',
  });
  const ended = once(watcher, 'close');
  const watched: WatchedGateway = {
    ask: async (path, query = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(query).toString()}`);
      const answer: unknown = await response.json();
      if (!response.ok) throw new Error(`${path} ${JSON.stringify(query)}: ${String(valueAt(answer, ['error']))}`);
      return valueAt(answer, ['data']);
    },
    close: async () => {
      watcher.kill('SIGTERM');
      await Promise.all([ended, gateway.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const giveUpAtMs = performance.now() + LONGEST_MS;
  for (let called = 0; !(await isScraped(watched)); called += 1) {
    if (performance.now() > giveUpAtMs) throw new Error('Prometheus does not scrape');
    await callOnce(web, called);
    await delay(PAUSE_MS);
  }
  return watched;
}

/** Whether Prometheus is there, and has looked at the gateway often enough, and twice behind the first call that failed. */
async function isScraped({ ask }: WatchedGateway): Promise<boolean> {
  const often = `sum(count_over_time(understudy_calls_in_flight[10m])) >= ${SCRAPES}`;
  const query = `${often} and sum(count_over_time(understudy_calls_total{reason!=""}[10m])) >= 2`;
  const data = await ask('query', { query }).catch(() => undefined);
  const result = valueAt(data, ['result']);
  return Array.isArray(result) && result.length > 0;
}

/** Makes one call of each kind: whole, streamed, and with a wrong key. How it ends is what the panels are to show. */
async function callOnce(web: string, number: number): Promise<void> {
  const model = MODELS[number % MODELS.length];
  const prompt = [{ role: 'ROLE_USER', content: [{ text: 'Say hello.' }] }];
  const post = async (method: string, body: Uint8Array | string, type: string, key = KEY): Promise<void> => {
    const headers = { 'content-type': type, 'x-api-key': key };
    const response = await fetch(`${web}/understudy.v1.LlmService/${method}`, { method: 'POST', headers, body });
    await response.arrayBuffer();
  };
  const request = JSON.stringify({ messages: prompt, ...(model !== undefined && { model }) });
  await post('Chat', request, 'application/json');
  await post('Chat', request, 'application/json', 'wrong');
  const framed = Buffer.concat([Buffer.alloc(5), Buffer.from(JSON.stringify({ messages: prompt }))]);
  framed.writeUInt32BE(framed.length - 5, 1);
  await post('StreamChat', framed, 'application/connect+json');
}
