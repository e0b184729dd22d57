import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';

import { tableStreams } from '../../src/server/http2/stream-table.ts';
import { API_KEY } from '../servers/accounts.ts';
import type { Calls } from './doors.ts';
import { frame, FrameCounter } from './frames.ts';
import { checkCount } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** Flow control must not hold a server back. */
const WINDOW_BYTES = 16 * 1024 * 1024;

/** Opens connections over which calls go in turn. */
export async function openGrpcCalls(port: number, scenario: Scenario, connections: number): Promise<Calls> {
  const sessions = await Promise.all(Array.from({ length: connections }, () => openSession(port)));
  const headers = {
    ':method': 'POST',
    ':path': scenario.path,
    'content-type': 'application/grpc+proto',
    te: 'trailers',
    authorization: `Bearer ${API_KEY}`,
    'grpc-timeout': '30S',
  };
  const body = frame(scenario.body.proto);
  let next = 0;
  return {
    connections,
    call: (onAnswer) => {
      const session = sessions[next++ % sessions.length];
      if (session === undefined) throw new Error('calls need a connection');
      const stream = session.request(headers);
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      const counter = new FrameCounter();
      const kept: Buffer[] = [];
      let status: unknown;
      let message: unknown;
      stream.on('response', (response) => {
        status = response['grpc-status'];
        message = response['grpc-message'];
      });
      stream.on('trailers', (trailers) => {
        status = trailers['grpc-status'];
        message = trailers['grpc-message'];
      });
      stream.on('data', (chunk: Buffer) => {
        counter.push(chunk);
        if (onAnswer !== undefined) kept.push(chunk);
      });
      stream.on('error', reject);
      stream.on('close', () => {
        try {
          if (status !== '0') throw new Error(`a call ended with gRPC status ${String(status)} (${String(message)})`);
          checkCount(scenario, counter);
          onAnswer?.(Buffer.concat(kept));
          resolve(counter.messages);
        } catch (error) {
          reject(error);
        }
      });
      stream.end(body);
      return promise;
    },
    close: () => {
      for (const session of sessions) session.destroy();
    },
  };
}

async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: WINDOW_BYTES } });
  // Or what Node leaves behind of each stream has the generator collect garbage for milliseconds, in which it neither calls nor hears.
  tableStreams(session);
  await once(session, 'connect');
  session.setLocalWindowSize(WINDOW_BYTES);
  // A lost session shows in its calls.
  session.on('error', () => undefined);
  return session;
}
