import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import { floorAnswer } from '../calls/answers.ts';
import { unframe } from '../calls/frames.ts';
import { createHop } from './hop.ts';
import { keyIn } from '../calls/asked.ts';
import type { ScenarioName } from '../calls/asked.ts';
import { SCENARIOS } from '../calls/scenarios.ts';

/** The gateway's libraries without the gateway: grpc-js with answers encoded beforehand, and one request with undici. */

const [port, origin = ''] = process.argv.slice(2);
const hop = createHop(origin);
const same = (bytes: Buffer): Buffer => bytes;

const made = new Map<string, readonly Buffer[]>();

/** grpc-js frames messages itself. */
function messagesFor(key: string): readonly Buffer[] {
  const messages = made.get(key) ?? unframe(Buffer.concat(floorAnswer(key)));
  made.set(key, messages);
  return messages;
}

function chat(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
  const key = keyIn(call.request) ?? 'chat';
  hop(key, call.request.length, {
    onPiece: () => undefined,
    onEnd: () => callback(null, messagesFor(key)[0]),
    onError: callback,
  });
}

function stream(call: ServerWritableStream<Buffer, Buffer>): void {
  const key = keyIn(call.request) ?? 'joined';
  const messages = messagesFor(key);
  let next = 0;
  const write = (): void => {
    const message = messages[next];
    next += 1;
    if (message !== undefined) call.write(message);
  };
  hop(key, call.request.length, {
    onPiece: write,
    onEnd: () => {
      while (next < messages.length) write();
      call.end();
    },
    onError: (error) => call.destroy(error),
  });
}

const server = new Server();
const pathOf = (wanted: ScenarioName): string => SCENARIOS.find(({ name }) => name === wanted)?.path ?? '';
server.register(pathOf('chat'), chat, same, same, 'unary');
server.register(pathOf('apart'), stream, same, same, 'serverStream');
server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
  if (error !== null) throw error;
});
