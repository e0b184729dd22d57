import { deepStrictEqual } from 'node:assert/strict';
import { createClient } from '@connectrpc/connect';
import type { Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { Client, credentials } from '@grpc/grpc-js';
import { createLlmClient } from '@understudy/client';

import { ChatRequestSchema, ChatResponseSchema, LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChatRequest } from '../../gen/understudy/v1/llm_pb.ts';
import type { Servers } from '../servers/servers.ts';
import { median } from '../report/table.ts';
import { wantedBy } from '../calls/asked.ts';
import { farPrompt } from '../calls/scenarios.ts';

/** Largest message that the clients read, in bytes. */
const MOST_BYTES = 24 * 1024 * 1024;
/** It stands twice in the answer of Chat, which has 10 MiB. */
const LONG = `chat-${5 * 1024 * 1024}`;
const SIZES_KB = [100, 1_000, 3_000, 8_000] as const;

/** A client of one door, at the end of a long way. */
interface FarClient {
  readonly name: string;
  /** Makes a call, and returns the text of its answer. */
  readonly ask: (request: ChatRequest) => Promise<string>;
}

/** What is sent, and what must come. */
interface FarCall {
  readonly name: string;
  readonly request: ChatRequest;
  readonly text: string;
}

/** The two doors of one gateway, as they are reached over the long way. */
interface FarDoors {
  readonly grpcPort: number;
  readonly webPort: number;
}

/**
 * Makes calls with large prompts, and one with a large answer, to a gateway so many milliseconds away, each way, with one client after
 * the other, each over one connection that is open already, and returns a table of milliseconds. Rejects where an answer is wrong.
 */
export async function compareFar(servers: Servers, awayMs: number, rounds: number): Promise<string> {
  const { port, webPort = 0 } = await servers.startGateway(await servers.startUpstream());
  const grpcPort = await servers.startRelay(port, awayMs);
  const [web, ...others] = clientsOf({ grpcPort, webPort: await servers.startRelay(webPort, awayMs) });
  const lines = ['| call | client | median ms | range | by the web door’s |', '|---|---|---|---|---|'];
  for (const call of farCalls()) {
    const rows = [web, ...others].map((client) => ({ client, tookMs: new Array<number>() }));
    // The first round makes room, compiles, and lets windows grow; it does not count.
    for (let round = 0; round <= rounds; round++) {
      for (const { client, tookMs } of rows) {
        const ms = await measure(client, call);
        if (round > 0) tookMs.push(ms);
      }
    }
    for (const { client, tookMs } of rows) {
      const ratios = tookMs.map((ms, round) => ms / (rows[0]?.tookMs[round] ?? Number.NaN));
      const range = `${Math.min(...tookMs).toFixed(0)} to ${Math.max(...tookMs).toFixed(0)}`;
      lines.push(
        `| ${call.name} | ${client.name} | ${median(tookMs).toFixed(0)} | ${range} | ${median(ratios).toFixed(2)} |`,
      );
    }
  }
  return lines.join('\n');
}

async function measure({ name, ask }: FarClient, { request, text }: FarCall): Promise<number> {
  const startedAtMs = performance.now();
  const answer = await ask(request);
  const ms = performance.now() - startedAtMs;
  deepStrictEqual(answer.length, text.length, name);
  return ms;
}

function farCalls(): readonly FarCall[] {
  return [
    { name: 'a short prompt', request: farPrompt('chat', 0), text: wantedBy('chat').text },
    ...SIZES_KB.map((kilobytes) => ({
      name: `a prompt of ${kilobytes / 1_000} MB`,
      request: farPrompt('chat', kilobytes * 1_000),
      text: wantedBy('chat').text,
    })),
    { name: 'an answer of 10 MiB', request: farPrompt(LONG, 0), text: wantedBy(LONG).text },
  ];
}

function clientsOf({ grpcPort, webPort }: FarDoors): readonly [FarClient, ...FarClient[]] {
  const web = { baseUrl: `http://127.0.0.1:${webPort}`, httpVersion: '1.1', readMaxBytes: MOST_BYTES } as const;
  const grpc = `127.0.0.1:${grpcPort}`;
  const own = createLlmClient(grpc, { readMaxBytes: MOST_BYTES });
  return [
    ofTransport('web door, Connect', createConnectTransport({ ...web, useBinaryFormat: true })),
    ofTransport('web door, Connect JSON', createConnectTransport({ ...web, useBinaryFormat: false })),
    { name: 'gRPC, @understudy/client', ask: async (request) => (await own.chat(request)).text },
    ofLibrary('gRPC, grpc-js', grpc, {}),
    ofLibrary('gRPC, grpc-js, wide windows', grpc, { 'grpc-node.flow_control_window': MOST_BYTES }),
  ];
}

function ofTransport(name: string, transport: Transport): FarClient {
  const client = createClient(LlmService, transport);
  return { name, ask: async (request) => (await client.chat(request)).text };
}

function ofLibrary(name: string, address: string, options: Record<string, number>): FarClient {
  const client = new Client(address, credentials.createInsecure(), {
    ...options,
    'grpc.max_receive_message_length': MOST_BYTES,
    // Clients of one process share connections where their options are the same.
    'grpc.use_local_subchannel_pool': 1,
  });
  const ask = (request: ChatRequest): Promise<string> =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        '/understudy.v1.LlmService/Chat',
        encoderOf(ChatRequestSchema),
        decoderOf(ChatResponseSchema),
        request,
        (error, answer) => (error === null ? resolve(answer?.text ?? '') : reject(error)),
      );
    });
  return { name, ask };
}

function encoderOf<Schema extends DescMessage>(schema: Schema): (message: MessageShape<Schema>) => Buffer {
  return (message) => Buffer.from(toBinary(schema, message));
}

function decoderOf<Schema extends DescMessage>(schema: Schema): (bytes: Buffer) => MessageShape<Schema> {
  return (bytes) => fromBinary(schema, bytes);
}
