import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { type Client, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { onTestFinished } from 'vitest';
import { LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import type { GatewayPort } from '../../../src/server/port/gateway-port.ts';
import { type GrpcDoor, type GrpcDoorOptions, openGrpcDoor } from '../../../src/server/grpc/native-door.ts';
import { createHandlers } from '../../../src/server/handlers/rpc-handlers.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/server/port/limits.ts';
import { ServingStatus } from '../../../src/server/health/serving-status.ts';
import { openWebDoor, type WebDoor, type WebDoorOptions } from '../../../src/server/web/http-door.ts';
import { system } from '../../../src/system.ts';
import { enveloped } from './web-envelopes.ts';

export interface TestDoor {
  readonly door: GrpcDoor;
  readonly serving: ServingStatus;
  readonly baseUrl: string;
  client(): Client<typeof LlmService>;
  /** A plain HTTP/2 connection. */
  session(): ClientHttp2Session;
}

export async function grpcDoor(gateway: GatewayPort, changes: Partial<GrpcDoorOptions> = {}): Promise<TestDoor> {
  const serving = new ServingStatus(() => gateway.targets(), system);
  const isAccepting = (): boolean => !serving.isDraining;
  const handlers = createHandlers(gateway, { random: () => 0.5, isAccepting, maxMessageBytes: MAX_MESSAGE_BYTES });
  const door = await openGrpcDoor({ address: '127.0.0.1:0', handlers, serving, runtime: system, ...changes });
  serving.startServing();
  onTestFinished(() => door.drain(0));
  const baseUrl = `http://${door.address}`;
  return {
    door,
    serving,
    baseUrl,
    client: () => createClient(LlmService, createGrpcTransport({ baseUrl })),
    session: () => {
      const session = connect(baseUrl);
      session.on('error', () => undefined);
      onTestFinished(() => session.destroy());
      return session;
    },
  };
}

export async function webDoor(
  gateway: GatewayPort,
  changes: Partial<WebDoorOptions> = {},
): Promise<{ readonly door: WebDoor; readonly baseUrl: string }> {
  const handlers = createHandlers(gateway, { random: () => 0.5, maxMessageBytes: MAX_MESSAGE_BYTES });
  const door = await openWebDoor({
    address: '127.0.0.1:0',
    handlers,
    isReady: () => true,
    runtime: system,
    ...changes,
  });
  onTestFinished(() => door.drain(0));
  return { door, baseUrl: `http://${door.address}` };
}

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  /** Undefined where the answer was headers alone (Trailers-Only). */
  readonly trailers: IncomingHttpHeaders | undefined;
}

/** Sends one gRPC message over plain HTTP/2 and reads headers and trailers as they come. */
export function rawCall(
  session: ClientHttp2Session,
  method: string,
  message: Uint8Array,
  headers: Record<string, string> = {},
): Promise<RawAnswer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/understudy.v1.LlmService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.end(enveloped(message));
  return new Promise((resolve, reject) => {
    let answer: RawAnswer | undefined;
    stream.on('response', (received) => {
      answer = { headers: received, trailers: undefined };
    });
    stream.on('trailers', (received) => {
      answer = { headers: answer?.headers ?? {}, trailers: received };
    });
    stream.on('error', reject);
    stream.on('close', () => {
      if (answer === undefined) reject(new Error('no answer'));
      else resolve(answer);
    });
    stream.resume();
  });
}

/** Reads so much of an answer, and then no more. */
export function readSome(stream: ClientHttp2Stream, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let read = 0;
    const onData = (chunk: Buffer): void => {
      read += chunk.byteLength;
      if (read < bytes) return;
      stream.off('data', onData).pause();
      resolve();
    };
    stream.on('data', onData).resume();
  });
}
