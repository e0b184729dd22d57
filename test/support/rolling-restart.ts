import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import {
  ChatRequestSchema,
  StreamChatRequestSchema,
  StreamChatResponseSchema,
} from '../../gen/understudy/v1/llm_pb.ts';
import { say } from './chat-samples.ts';
import { freePort } from './free-port.ts';
import { startUnderstudy, type UnderstudyProcess } from './understudy-process.ts';
import { get } from './web-calls.ts';

/** What goes on while the gateways are replaced. */
export interface RollingLoad {
  /** Streams that are under way when a gateway is told to go. */
  readonly streams: number;
  readonly streamMs: number;
  readonly callsPerSecond: number;
}

/** What callers saw. */
export interface RollingOutcome {
  readonly calls: number;
  readonly streams: number;
  /** How calls and streams ended that did not end well, with their number. */
  readonly failures: Readonly<Record<string, number>>;
  /** From the signal to the end of each gateway, in milliseconds. */
  readonly endedAfterMs: readonly number[];
  readonly exitCodes: readonly (number | null)[];
}

const MESSAGES = [say(Role.USER, 'hello')];
const PIECES = 8;

/** Replaces two gateways one after the other behind one client that goes to both in turn and repeats nothing. */
export async function rollingRestart(load: RollingLoad): Promise<RollingOutcome> {
  const upstream = await startUpstream(load.streamMs);
  const folder = await mkdtemp(join(tmpdir(), 'understudy-rolling-'));
  const config = join(folder, 'understudy.json');
  await writeFile(config, JSON.stringify({ targets: [upstream.target] }));
  const ports = [await freePort(), await freePort()];
  const start = async (port: number): Promise<UnderstudyProcess> => {
    const gateway = startUnderstudy(['--config', config], { UNDERSTUDY_GRPC_ADDRESS: `127.0.0.1:${port}` });
    await gateway.doors;
    return gateway;
  };
  const gateways = await Promise.all(ports.map(start));
  const callers = openCallers(ports);
  const [endedAfterMs, exitCodes]: [number[], (number | null)[]] = [[], []];
  try {
    await Promise.all(gateways.map(isInUse(() => callers.call())));
    const calls = callers.callSteadily(load.callsPerSecond);
    for (const [index, port] of ports.entries()) {
      const gateway = gateways[index];
      if (gateway === undefined) continue;
      const streams = Array.from({ length: load.streams }, () => callers.stream());
      await Promise.all(streams.map(({ begun }) => begun));
      const signalledAtMs = performance.now();
      gateway.kill('SIGTERM');
      exitCodes.push((await gateway.ended).code);
      endedAfterMs.push(Math.round(performance.now() - signalledAtMs));
      await Promise.all(streams.map(({ ended }) => ended));
      const next = await start(port);
      gateways[index] = next;
      await isInUse(() => callers.call())(next);
    }
    await calls.stop();
  } finally {
    callers.close();
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await upstream.close();
    await rm(folder, { recursive: true });
  }
  return { ...callers.seen(), endedAfterMs, exitCodes };
}

/** Waits until a gateway gets its part of the calls. */
function isInUse(call: () => Promise<void>): (gateway: UnderstudyProcess) => Promise<void> {
  return async (gateway) => {
    const { admin } = await gateway.doors;
    do {
      await call();
    } while (!/^understudy_calls_total\{.*\} [1-9]/m.test((await get(`${admin}/metrics`)).body));
  };
}

function openCallers(ports: readonly number[]) {
  const address = `ipv4:${ports.map((port) => `127.0.0.1:${port}`).join(',')}`;
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
  });
  const seen = { calls: 0, streams: 0 };
  const failures: Record<string, number> = {};
  const failed = (what: string, error: ServiceError): void => {
    const name = `${what}: ${status[error.code]} ${error.details}`;
    failures[name] = (failures[name] ?? 0) + 1;
  };
  const same = (bytes: Buffer): Buffer => bytes;
  const bytesOf = (request: Uint8Array): Buffer => Buffer.from(request);
  const unary = bytesOf(toBinary(ChatRequestSchema, create(ChatRequestSchema, { messages: MESSAGES, model: 'quick' })));
  const streamed = bytesOf(
    toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { messages: MESSAGES, model: 'slow' })),
  );
  const call = (): Promise<void> =>
    new Promise((resolve) => {
      seen.calls += 1;
      const metadata = new Metadata();
      client.makeUnaryRequest('/understudy.v1.LlmService/Chat', same, same, unary, metadata, (error) => {
        if (error !== null) failed('call', error);
        resolve();
      });
    });
  return {
    call,
    /** Calls so often a second, however long the answers take. */
    callSteadily: (perSecond: number) => {
      const underWay = new Set<Promise<void>>();
      const timer = setInterval(() => {
        const made = call();
        underWay.add(made);
        void made.then(() => underWay.delete(made));
      }, 1_000 / perSecond);
      return {
        stop: async (): Promise<void> => {
          clearInterval(timer);
          await Promise.all(underWay);
        },
      };
    },
    stream: () => {
      seen.streams += 1;
      const begun = Promise.withResolvers<void>();
      const ended = Promise.withResolvers<void>();
      const stream = client.makeServerStreamRequest('/understudy.v1.LlmService/StreamChat', same, same, streamed);
      let last: string | undefined;
      stream.on('data', (bytes: Buffer) => {
        last = fromBinary(StreamChatResponseSchema, bytes).event.case;
        begun.resolve();
      });
      stream.on('error', (error: ServiceError) => failed('stream', error));
      stream.on('status', ({ code }) => {
        if (code === status.OK && last !== 'finished') failures['stream: cut'] = (failures['stream: cut'] ?? 0) + 1;
        begun.resolve();
        ended.resolve();
      });
      return { begun: begun.promise, ended: ended.promise };
    },
    seen: () => ({ ...seen, failures }),
    close: () => client.close(),
  };
}

/** A provider whose model `slow` takes its time over an answer, piece by piece. */
async function startUpstream(streamMs: number) {
  const server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => void answer(response, body.includes('"slow"') ? streamMs : 0));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the upstream has no port');
  return {
    target: {
      name: 'lead',
      provider: 'openai',
      api: 'chat_completions',
      base_url: `http://127.0.0.1:${address.port}/v1`,
      model: 'quick',
      models: ['slow'],
    },
    close: async (): Promise<void> => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function answer(response: ServerResponse, ms: number): Promise<void> {
  response.on('error', () => undefined);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (delta: object, reason: string | null): void => {
    const choices = [{ index: 0, delta, finish_reason: reason }];
    const chunk = { id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  for (let piece = 0; piece < PIECES; piece += 1) {
    send({ content: 'word ' }, null);
    if (ms > 0) await passed(ms / PIECES);
  }
  send({}, 'stop');
  response.end('data: [DONE]\n\n');
}
