import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';

import type { ConfigInput } from '../../../src/config/file/schema.ts';
import { createAuthority } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import type { ProcessDoors, UnderstudyProcess } from '../../support/understudy-process.ts';
import { startUnderstudy } from '../../support/understudy-process.ts';
import { get } from '../../support/web-calls.ts';
import { startEchoServer } from './echo-server.ts';
import { startFailingUpstream } from './failing-upstream.ts';
import type { WordsUpstream } from './words-upstream.ts';
import { startWordsUpstream } from './words-upstream.ts';

/** The gateways whose calls are counted. */
export type CountedGateway = 'refusing' | 'closed' | 'contacted';

/** Everything that the programs of clients talk to. */
export interface Stage {
  /** Doors of the gateway with the mock. */
  readonly doors: ProcessDoors;
  /** What every program finds in its environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly words: WordsUpstream;
  /** `http://host:port` of the web door of the gateway in front of `words`. */
  readonly wordsWeb: string;
  /** `host:port` of a gateway with the mock alone, for calls that leave a rate limit behind. */
  readonly limitedAddress: string;
  /**
   * Has `refusing` refuse every call before a provider is contacted, with a pushback of about a second, until what it returns is
   * called.
   */
  holdSlot(): Promise<() => void>;
  /** `host:port` of a gateway whose calls are counted. */
  addressOf(gateway: CountedGateway): string;
  /** `localhost:port` of a gateway that wants certificates of its clients. */
  readonly tlsAddress: string;
  /** Where `ca.crt`, and `.crt` and `.key` of `caller` and `expired` are. */
  readonly tlsFolder: string;
  /** Calls that a gateway has answered so far. */
  callsAt(gateway: CountedGateway): Promise<number>;
  /** Calls that the provider behind `contacted` got so far. */
  providerCalls(): number;
  /** Waits until the first of the pair has calls, ends it as Kubernetes would, and starts it again. Resolves with its exit code. */
  replaceOneOfPair(signal: AbortSignal): Promise<number | null>;
  close(): Promise<void>;
}

const MOCK = { provider: 'mock', model: 'mock-ok' } as const;

/** Starts everything. Pages of `pageOrigin` may call the web doors of the gateways with the mock and with `words`. */
export async function startStage(pageOrigin: string): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-clients-'));
  const started: UnderstudyProcess[] = [];
  const start = async (name: string, config: ConfigInput, address = '127.0.0.1:0'): Promise<UnderstudyProcess> => {
    const path = join(folder, `${name}.json`);
    await writeFile(path, JSON.stringify(config));
    const gateway = startUnderstudy(['--config', path], { UNDERSTUDY_GRPC_ADDRESS: address });
    started.push(gateway);
    await gateway.doors;
    return gateway;
  };
  const [words, echo, failing, hanging] = await Promise.all([
    startWordsUpstream(),
    startEchoServer(),
    startFailingUpstream(),
    startFailingUpstream(0),
  ]);
  const upstream = (origin: string) =>
    ({ name: 'lead', provider: 'openai', api: 'chat_completions', base_url: `${origin}/v1`, model: 'm' }) as const;
  const pairConfig: ConfigInput = { targets: [{ name: 'mock', ...MOCK }] };
  const pairAddresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`] as const;
  const authority = createAuthority();
  await writeFile(join(folder, 'ca.crt'), authority.cert);
  for (const [name, days] of Object.entries({ localhost: 2, caller: 2, expired: -1 })) {
    const { cert, key } = authority.issue(name, { days });
    await writeFile(join(folder, `${name}.crt`), cert);
    await writeFile(join(folder, `${name}.key`), key);
  }
  authority.remove();
  const [gateway, limited, wordsGateway, closed, refusing, contacted, secure, first] = await Promise.all([
    start('mock', {
      targets: [
        { name: 'mock', ...MOCK },
        { name: 'lead', provider: 'mock', model: 'mock-stream-cut' },
        { name: 'second', ...MOCK },
      ],
      routes: [
        { name: 'default', targets: ['mock'] },
        { name: 'broken', targets: ['lead', 'second'] },
      ],
      server: { cors_origins: [pageOrigin] },
    }),
    start('limited', pairConfig),
    start('words', { targets: [upstream(words.origin)], server: { cors_origins: [pageOrigin] } }),
    start('closed', { targets: [{ name: 'mock', ...MOCK }], server: { admin_service: true } }),
    start('refusing', {
      targets: [upstream(hanging.origin)],
      admission: { max_active: 1, max_queued: 1, max_wait: '100ms' },
    }),
    start('contacted', {
      targets: [upstream(failing.origin)],
      circuit_breaker: { failures: 1_000 },
      retry: { max_repeats: 0 },
    }),
    start('tls', {
      targets: [{ name: 'mock', ...MOCK }],
      server: { tls: { cert: 'localhost.crt', key: 'localhost.key', client_ca: 'ca.crt' } },
    }),
    start('pair', pairConfig, pairAddresses[0]),
    start('pair', pairConfig, pairAddresses[1]),
  ]);
  const doors = await gateway.doors;
  const wordsDoors = await wordsGateway.doors;
  const counted = {
    closed: await closed.doors,
    refusing: await refusing.doors,
    contacted: await contacted.doors,
  } satisfies Record<CountedGateway, ProcessDoors>;
  await forceOpen(counted.closed.admin);
  const tlsAddress = `localhost:${new URL((await secure.doors).grpc).port}`;
  let replaced = first;
  return {
    doors,
    words,
    wordsWeb: wordsDoors.web,
    env: {
      UNDERSTUDY_ADDRESS: doors.grpc,
      UNDERSTUDY_WORDS_ADDRESS: wordsDoors.grpc,
      UNDERSTUDY_ECHO_ADDRESS: echo.address,
      UNDERSTUDY_PAIR_ADDRESSES: pairAddresses.join(','),
      UNDERSTUDY_CLOSED_ADDRESS: counted.closed.grpc,
      UNDERSTUDY_CONTACTED_ADDRESS: counted.contacted.grpc,
      UNDERSTUDY_TLS_ADDRESS: tlsAddress,
      UNDERSTUDY_TLS_FOLDER: folder,
    },
    tlsAddress,
    tlsFolder: folder,
    limitedAddress: (await limited.doors).grpc,
    holdSlot: async () => {
      const controller = new AbortController();
      const before = hanging.requestCount;
      void call(counted.refusing.web, controller.signal).catch(() => '');
      while (hanging.requestCount === before) await passed(10);
      return () => controller.abort();
    },
    addressOf: (name) => counted[name].grpc,
    callsAt: async (name) => callsOf(counted[name].admin),
    providerCalls: () => failing.requestCount,
    replaceOneOfPair: async (signal) => {
      const { admin } = await replaced.doors;
      const before = await callsOf(admin);
      while ((await callsOf(admin)) < before + 5) {
        if (signal.aborted) return null;
      }
      replaced.kill('SIGTERM');
      const { code } = await replaced.ended;
      replaced = await start('pair', pairConfig, pairAddresses[0]);
      return code;
    },
    close: async () => {
      await Promise.all(started.map((each) => each.close()));
      await Promise.all([words.close(), echo.close(), failing.close(), hanging.close()]);
      await rm(folder, { recursive: true });
    },
  };
}

/** Reads how many calls a gateway has answered from its metrics. */
async function callsOf(admin: string): Promise<number> {
  const { body } = await get(`${admin}/metrics`);
  return [...body.matchAll(/^understudy_calls_total\{.*\} (\d+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

/** Has an operator force the circuits of the target open: every call is refused, with a pushback of a minute. */
async function forceOpen(admin: string): Promise<void> {
  const response = await fetch(`${admin}/understudy.v1.AdminService/ForceCircuit`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ target: 'mock', state: 'FORCED_STATE_OPEN' }),
  });
  if (!response.ok) throw new Error(`the circuit was not forced: ${response.status}`);
}

/** Calls over the web door. */
async function call(web: string, signal?: AbortSignal): Promise<string> {
  const response = await fetch(`${web}/understudy.v1.LlmService/Generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"prompt":"Say hello."}',
    signal: signal ?? null,
  });
  return response.text();
}
