import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { createServer } from 'node:net';
import type { Server } from 'node:net';

import { frame } from '../calls/frames.ts';
import { API_KEY } from './accounts.ts';
import type { Scenario } from '../calls/scenarios.ts';

/** What the upstream says of every answer: its head and a first word. */
const BEGINNING = (() => {
  const delta = { role: 'assistant', content: 'Well' };
  const chunk = {
    id: 'held',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'bench-model',
    choices: [{ index: 0, delta }],
  };
  const event = `data: ${JSON.stringify(chunk)}\n\n`;
  const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
  return `${head}${Buffer.byteLength(event).toString(16)}\r\n${event}\r\n`;
})();

const STREAMS_OF_CONNECTION = 100;

/** A provider that begins every answer and ends none. Resolves when it listens. */
export async function startHolding(): Promise<{ readonly port: number; readonly server: Server }> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.write(BEGINNING));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the provider has no port');
  return { port: address.port, server };
}

/** Opens streams, one behind the other. Resolves when all have begun to answer; the sessions hold them. */
export async function holdStreams(
  port: number,
  scenario: Scenario,
  count: number,
): Promise<readonly ClientHttp2Session[]> {
  const sessions: ClientHttp2Session[] = [];
  const body = frame(scenario.body.proto);
  let session: ClientHttp2Session | undefined;
  for (let opened = 0; opened < count; opened++) {
    if (session === undefined || opened % STREAMS_OF_CONNECTION === 0) {
      session = connect(`http://127.0.0.1:${port}`);
      session.on('error', () => undefined);
      sessions.push(session);
    }
    const stream = session.request({
      ':method': 'POST',
      ':path': scenario.path,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      authorization: `Bearer ${API_KEY}`,
    });
    stream.end(body);
    // Resolves at the end too, which rejects.
    const answered = once(stream, 'data');
    let told: unknown;
    stream.once('response', (headers) => (told = headers['grpc-message']));
    stream.once('close', () =>
      stream.emit('error', new Error(`a stream that should be held has ended: ${String(told)}`)),
    );
    await answered;
    stream.removeAllListeners('close');
    stream.on('error', () => undefined);
  }
  return sessions;
}
