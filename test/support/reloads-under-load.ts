import { once } from 'node:events';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';

import { CircuitState } from '../../gen/understudy/v1/health_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { say } from './chat-samples.ts';
import { openRpcClient } from './rpc-client.ts';
import { startUnderstudy } from './understudy-process.ts';
import { get } from './web-calls.ts';

/** What goes on while the configuration is read again and again. */
export interface ReloadLoad {
  readonly reloads: number;
  /** How often; 0: as soon as the change before is in force. */
  readonly everyMs: number;
  /** Streams that are under way at any time, and how long each takes. */
  readonly streams: number;
  readonly streamMs: number;
  /** Calls that are under way at any time, one after the other. */
  readonly callers: number;
}

/** What was seen of it. */
export interface ReloadOutcome {
  readonly calls: number;
  readonly streams: number;
  /** How calls and streams ended that did not end well, with their number. */
  readonly failures: Readonly<Record<string, number>>;
  /** How long calls took, in milliseconds. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly most: number };
  /** Reloads by what came of them, as the metrics have it. */
  readonly reloads: Readonly<Record<string, number>>;
  /** From a change of the file until it was in force, in milliseconds. */
  readonly slowestReloadMs: number;
  /** Requests that came to the target that always fails: its circuit lets a few through. */
  readonly requestsToSick: number;
  /** How often its circuit was seen otherwise than open or half-open. */
  readonly timesForgotten: number;
  /** Keys that the provider has seen, all of them good when they came. */
  readonly keys: number;
  /** Requests with a key that was good no more. */
  readonly refusedKeys: number;
  /** Whether a key stood in the output, in the metrics or in what callers were told. */
  readonly isKeyTold: boolean;
  /** Memory of the process after the first tenth of the reloads, and at the end. */
  readonly residentMiB: readonly [first: number, last: number];
  /** Connections to the provider that stood at once, at most. */
  readonly connections: number;
}

const KEY = 'sk-planted-key-number-';
const PIECES = 6;
const { chat, streamChat, health } = LlmService.method;
const ask = { messages: [say(Role.USER, 'hello')] };

/**
 * Has a gateway read its configuration again and again while it is called. Each time the key of the provider is another one, and the one
 * before is refused as soon as the new one is in force; a target comes and goes; every fifth file cannot be used.
 */
export async function reloadUnderLoad(load: ReloadLoad): Promise<ReloadOutcome> {
  const upstream = await startProvider(load.streamMs);
  const folder = await mkdtemp(join(tmpdir(), 'understudy-reload-'));
  const path = join(folder, 'understudy.json');
  const write = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  await write(configOf(upstream.origin, 0));
  const gateway = startUnderstudy(['--config', path]);
  const doors = await gateway.doors;
  const client = openRpcClient(doors.grpc);
  const seen = { calls: 0, streams: 0, timesForgotten: 0 };
  const failures: Record<string, number> = {};
  const took: number[] = [];
  const told: string[] = [];
  const ending = new AbortController();
  const until = async (make: () => Promise<unknown>): Promise<void> => {
    while (!ending.signal.aborted) {
      try {
        await make();
      } catch (error) {
        const text = String(error);
        told.push(text);
        failures[text] = (failures[text] ?? 0) + 1;
      }
    }
  };
  const call = async (): Promise<void> => {
    const startedAtMs = performance.now();
    seen.calls += 1;
    await client.call(chat, ask);
    took.push(performance.now() - startedAtMs);
  };
  const stream = async (): Promise<void> => {
    seen.streams += 1;
    const events = await client.stream(streamChat, { ...ask, model: 'slow' }).done;
    if (events.at(-1)?.event.case !== 'finished') throw new Error('a stream was cut');
  };
  const isForgotten = async (): Promise<boolean> => {
    const { providers } = await client.call(health, {});
    return providers.find(({ target }) => target === 'sick')?.circuit === CircuitState.CLOSED;
  };
  let slowestReloadMs = 0;
  const residentMiB = async (): Promise<number> => {
    const bytes = /^process_resident_memory_bytes (\S+)$/m.exec((await get(`${doors.admin}/metrics`)).body)?.[1];
    return Math.round(Number(bytes) / 2 ** 20);
  };
  let firstMiB = await residentMiB();
  try {
    while (await isForgotten()) await call();
    const work = [
      ...Array.from({ length: load.callers }, () => until(call)),
      ...Array.from({ length: load.streams }, () => until(stream)),
    ];
    for (let round = 1; round <= load.reloads; round++) {
      const startedAtMs = performance.now();
      const isWrong = round % 5 === 0;
      await write(isWrong ? wrongConfig(upstream.origin, round) : configOf(upstream.origin, round));
      await gateway.printed(isWrong ? `must not be round ${round}` : `target extra-${round} added`);
      slowestReloadMs = Math.max(slowestReloadMs, performance.now() - startedAtMs);
      if (!isWrong) {
        upstream.allowOnly(`${KEY}${round}`);
        // However soon the next one comes, somebody calls with this key.
        await call();
      }
      if (await isForgotten()) seen.timesForgotten += 1;
      if (round === Math.ceil(load.reloads / 10)) firstMiB = await residentMiB();
      await passed(Math.max(0, load.everyMs - (performance.now() - startedAtMs)));
    }
    ending.abort();
    await Promise.all(work);
    const metrics = (await get(`${doors.admin}/metrics`)).body;
    const everything = [gateway.stdout(), gateway.stderr(), metrics, ...told].join('\n');
    return {
      ...seen,
      failures,
      latencyMs: percentiles(took),
      reloads: Object.fromEntries(
        [...metrics.matchAll(/^understudy_config_reloads_total\{outcome="(\w+)"\} (\d+)/gm)].map(
          ([, outcome = '', count]) => [outcome, Number(count)],
        ),
      ),
      slowestReloadMs: Math.round(slowestReloadMs),
      residentMiB: [firstMiB, await residentMiB()],
      ...upstream.seen(),
      isKeyTold: everything.includes(KEY),
    };
  } finally {
    ending.abort();
    client.close();
    await gateway.close();
    await upstream.close();
    await rm(folder, { recursive: true });
  }
}

function configOf(origin: string, round: number): string {
  const target = { provider: 'openai', api: 'chat_completions', model: 'quick', models: ['slow'] };
  return JSON.stringify({
    targets: [
      { ...target, name: 'sick', base_url: `${origin}/sick/v1` },
      { ...target, name: 'lead', base_url: `${origin}/lead/v1`, api_key: `${KEY}${round}` },
      { name: `extra-${round}`, provider: 'mock' },
    ],
    routes: [{ name: 'default', targets: ['sick', 'lead'] }],
    circuit_breaker: { cooldown: '10m' },
    admission: { max_active: 900 + (round % 10), max_share: 100 },
  });
}

function wrongConfig(origin: string, round: number): string {
  return configOf(origin, round).replace('"provider":"mock"', `"provider":"must not be round ${round}"`);
}

function percentiles(took: readonly number[]): ReloadOutcome['latencyMs'] {
  const sorted = took.toSorted((one, other) => one - other);
  const at = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return { p50: at(0.5), p99: at(0.99), most: at(1) };
}

/** A provider that takes one key at a time, at `/lead`, and always fails at `/sick`; its model `slow` writes piece by piece. */
async function startProvider(streamMs: number) {
  const seen = { requestsToSick: 0, refusedKeys: 0, connections: 0 };
  const keys = new Set<string>();
  let allowed: string | undefined;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const key = (request.headers.authorization ?? '').replace('Bearer ', '');
      const isSick = request.url?.startsWith('/sick') === true;
      if (isSick) seen.requestsToSick += 1;
      else keys.add(key);
      // A newer key is good before anybody uses it.
      const isRefused = !isSick && allowed !== undefined && numberOf(key) < numberOf(allowed);
      if (isRefused) seen.refusedKeys += 1;
      if (isSick || isRefused) response.writeHead(isSick ? 503 : 401, { 'content-type': 'application/json' }).end('{}');
      else void answer(response, body.includes('"slow"') ? streamMs : 0);
    });
  });
  const open = new Set<object>();
  server.on('connection', (socket) => {
    open.add(socket);
    seen.connections = Math.max(seen.connections, open.size);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    allowOnly: (key: string) => {
      allowed = key;
    },
    seen: () => ({ ...seen, keys: keys.size }),
    close: async (): Promise<void> => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function numberOf(key: string): number {
  return Number(key.replace(KEY, ''));
}

async function answer(response: ServerResponse, ms: number): Promise<void> {
  response.on('error', () => undefined);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (delta: object, reason: string | null): void => {
    const choices = [{ index: 0, delta, finish_reason: reason }];
    response.write(`data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', model: 'm', choices })}\n\n`);
  };
  for (let piece = 0; piece < PIECES; piece += 1) {
    send({ content: 'word ' }, null);
    if (ms > 0) await passed(ms / PIECES);
  }
  send({}, 'stop');
  response.end('data: [DONE]\n\n');
}
