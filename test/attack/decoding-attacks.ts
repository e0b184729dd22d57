import { gzipSync } from 'node:zlib';

import type { Attack } from './attack.ts';
import { tally } from './attack.ts';
import { DEAR_BODIES, DEAR_JSON } from './bodies.ts';
import type { RawEnd } from './raw-calls.ts';
import { callGrpc, framed, openSession, postWeb } from './raw-calls.ts';

/** How often each body is sent. */
const TIMES = 3;
/** gRPC statuses of a request that was refused: INVALID_ARGUMENT, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE. */
const REFUSED: ReadonlySet<string | undefined> = new Set(['3', '8', '13', '14']);
/** What a gzip bomb holds, in bytes. */
const BOMB_BYTES = 256 * 1024 * 1024;

function faultOf(name: string, end: RawEnd, isRefused: boolean): readonly string[] {
  if (!end.inTime) return [`${name}: no answer in time`];
  return isRefused ? [] : [`${name}: HTTP ${end.status}, grpc-status ${end.grpcStatus}`];
}

/** Sends bodies that are dear to decode to a method of the gRPC door, one after the other. */
function dearBodies(name: string, method: string, encoding: 'gzip' | 'identity'): Attack {
  return {
    name,
    withinMs: 120_000,
    run: async ({ grpc }) => {
      const faults: string[] = [];
      const session = openSession(grpc);
      for (const [kind, make] of Object.entries(DEAR_BODIES)) {
        const plain = make();
        const body = encoding === 'gzip' ? framed(gzipSync(plain), 1) : framed(plain);
        const headers = encoding === 'gzip' ? { 'grpc-encoding': 'gzip' } : {};
        for (let time = 0; time < TIMES; time += 1) {
          const end = await callGrpc(session, method, body, { headers });
          faults.push(...faultOf(kind, end, REFUSED.has(end.grpcStatus)));
        }
      }
      session.destroy();
      return faults.length === 0 ? [] : [tally(faults)];
    },
  };
}

const dearJson: Attack = {
  name: 'dear-json',
  withinMs: 120_000,
  run: async ({ web }) => {
    const faults: string[] = [];
    for (const [kind, make] of Object.entries(DEAR_JSON)) {
      const plain = Buffer.from(make());
      const method = kind === 'messages' ? 'Chat' : 'Generate';
      for (const [body, encoding] of [
        [plain, 'identity'],
        [gzipSync(plain), 'gzip'],
      ] as const) {
        const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
        const end = await postWeb(web, method, body, { headers });
        faults.push(...faultOf(`${kind} ${encoding}`, end, end.status >= 400));
      }
      const headers = { 'content-type': 'application/connect+json', 'connect-content-encoding': 'gzip' };
      const end = await postWeb(web, 'StreamChat', framed(gzipSync(plain), 1), { headers });
      faults.push(...faultOf(`${kind} in a stream`, end, end.body.includes('"error"') || end.status >= 400));
    }
    return faults.length === 0 ? [] : [tally(faults)];
  },
};

/** A small message that grows to many times the largest that is read. */
const gzipBomb: Attack = {
  name: 'gzip-bomb',
  withinMs: 60_000,
  run: async ({ grpc, web }) => {
    const bomb = gzipSync(Buffer.alloc(BOMB_BYTES));
    const session = openSession(grpc);
    const faults: string[] = [];
    for (const method of ['Chat', 'StreamChat', 'ListModels']) {
      const end = await callGrpc(session, method, framed(bomb, 1), { headers: { 'grpc-encoding': 'gzip' } });
      faults.push(...faultOf(method, end, REFUSED.has(end.grpcStatus)));
    }
    session.destroy();
    const unary = { 'content-type': 'application/proto', 'content-encoding': 'gzip' };
    const end = await postWeb(web, 'Chat', bomb, { headers: unary });
    faults.push(...faultOf('web', end, end.status >= 400));
    const streamed = { 'content-type': 'application/connect+proto', 'connect-content-encoding': 'gzip' };
    const stream = await postWeb(web, 'StreamChat', framed(bomb, 1), { headers: streamed });
    faults.push(...faultOf('web stream', stream, stream.body.includes('"error"') || stream.status >= 400));
    return faults;
  },
};

/** What costs the gateway more than its sender. */
export const DECODING_ATTACKS: readonly Attack[] = [
  dearBodies('dear-messages', 'Chat', 'identity'),
  dearBodies('dear-messages-gzipped', 'Chat', 'gzip'),
  dearBodies('dear-messages-streamed', 'StreamChat', 'identity'),
  dearBodies('dear-to-list-models', 'ListModels', 'gzip'),
  dearJson,
  gzipBomb,
];
