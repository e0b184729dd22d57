import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import { FLOOR_ANSWERS } from '../calls/answers.ts';
import { unframe } from '../calls/frames.ts';
import { createHop } from './hop.ts';
import { scenarioIn, SCENARIOS } from '../calls/scenarios.ts';
import type { ScenarioName } from '../calls/scenarios.ts';

/** The gateway's libraries without the gateway: grpc-js with answers encoded beforehand, and one request with undici. */

const [port, origin = ''] = process.argv.slice(2);
const hop = createHop(origin);
const same = (bytes: Buffer): Buffer => bytes;

/** grpc-js frames messages itself. */
const messages = {
  chat: unframe(Buffer.concat(FLOOR_ANSWERS.chat)),
  apart: unframe(Buffer.concat(FLOOR_ANSWERS.apart)),
  joined: unframe(Buffer.concat(FLOOR_ANSWERS.joined)),
  drip: unframe(Buffer.concat(FLOOR_ANSWERS.drip)),
};

function chat(call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
  hop(scenarioIn(call.request) ?? 'chat', {
    onPiece: () => undefined,
    onEnd: () => callback(null, messages.chat[0]),
    onError: callback,
  });
}

function stream(call: ServerWritableStream<Buffer, Buffer>): void {
  const asked = scenarioIn(call.request);
  const scenario = asked === 'apart' || asked === 'drip' ? asked : 'joined';
  let next = 0;
  const write = (): void => {
    const message = messages[scenario][next];
    next += 1;
    if (message !== undefined) call.write(message);
  };
  hop(scenario, {
    onPiece: write,
    onEnd: () => {
      while (next < messages[scenario].length) write();
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
