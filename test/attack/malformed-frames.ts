import type { ClientHttp2Session } from 'node:http2';

import type { Mutation } from '../fuzz/mutations.ts';
import { MUTATIONS, pick } from '../fuzz/mutations.ts';
import { mulberry32 } from '../support/virtual-runtime.ts';
import type { Attack } from './attack.ts';
import { inParallel, tally } from './attack.ts';
import type { AttackedDoors } from './attacked-process.ts';
import { chatBytes, streamChatBytes } from './bodies.ts';
import type { RawEnd } from './raw-calls.ts';
import { callGrpc, framed, openSession, postWeb, sendBytes } from './raw-calls.ts';

/** One way to send frames: a door, a protocol, a method. */
interface Way {
  readonly name: string;
  /** A good message of the way. */
  readonly message: Uint8Array;
  send(doors: AttackedDoors, session: ClientHttp2Session, body: Uint8Array): Promise<RawEnd>;
}

const JSON_MESSAGE = Buffer.from('{"messages":[{"role":"ROLE_USER","content":[{"text":"hello"}]}]}');

function overGrpc(method: 'Chat' | 'StreamChat'): Way {
  return {
    name: `gRPC ${method}`,
    message: method === 'Chat' ? chatBytes() : streamChatBytes(),
    send: (_, session, body) => callGrpc(session, method, body, { headers: { 'grpc-timeout': '5S' } }),
  };
}

function overWeb(method: 'Chat' | 'StreamChat', type: string, message: Uint8Array): Way {
  const headers = { 'content-type': `application/${type}`, 'connect-timeout-ms': '5000', 'grpc-timeout': '5S' };
  return { name: `${type} ${method}`, message, send: ({ web }, _, body) => postWeb(web, method, body, { headers }) };
}

/** Every way in which a message stands in a frame. */
const WAYS: readonly Way[] = [
  overGrpc('Chat'),
  overGrpc('StreamChat'),
  overWeb('StreamChat', 'connect+json', JSON_MESSAGE),
  overWeb('StreamChat', 'connect+proto', streamChatBytes()),
  overWeb('Chat', 'grpc-web+proto', chatBytes()),
  overWeb('StreamChat', 'grpc-web+proto', streamChatBytes()),
];

/** What can be wrong with frames, by name; each with a good message at hand. */
const FRAMES = {
  'no frame': () => Buffer.alloc(0),
  'a piece of a head': () => Buffer.alloc(3),
  'a head alone': () => Buffer.from([0, 0, 0, 0, 9]),
  'less than the head says': (good) => framed(good, 0, good.byteLength + 100),
  'more than the head says': (good) => framed(good, 0, good.byteLength - 3),
  'a length of 4 GiB': (good) => framed(good, 0, 0xffff_ffff),
  'a length over the limit': (good) => framed(good, 0, 21 * 1024 * 1024),
  'two messages': (good) => Buffer.concat([framed(good), framed(good)]),
  'a message and a piece of one': (good) => Buffer.concat([framed(good), framed(good).subarray(0, 7)]),
  'compressed without encoding': (good) => framed(good, 1),
  'an end of stream first': () => framed(Buffer.from('{}'), 2),
  'trailers first': () => framed(Buffer.from('grpc-status: 0\r\n'), 0x80),
  'all flags': (good) => framed(good, 0xff),
  'no message of the contract': () => framed(Buffer.from('{x')),
  'a field that nobody knows': () => framed(Buffer.from('{"unknown":1}')),
} as const satisfies Record<string, (good: Uint8Array) => Buffer>;

/** The malformed corpus: 15 frames in 6 ways make 90 cases. */
export const FRAMING_CASES = WAYS.flatMap((way) =>
  Object.entries(FRAMES).map(([name, make]) => ({ name: `${way.name}: ${name}`, way, body: make(way.message) })),
);

/** Texts that are no request of HTTP, or none that a door takes. */
const NO_REQUESTS = [
  'GET / HTTP/1.1\r\n\r\n',
  'POST /understudy.v1.LlmService/Chat HTTP/1.1\r\nhost: [\r\ncontent-length: 2\r\n\r\n{}',
  'POST //[ HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n',
  'POST /understudy.v1.LlmService/Chat HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
  'POST /understudy.v1.LlmService/Chat HTTP/1.1\r\nhost: a\r\ncontent-length: -1\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\x08\0\0\0\0\0\0\0\0\0',
  '\u0016\u0003\u0001\u0002\0\u0001\0\u0001',
  '\0'.repeat(1_000),
];

function nameOf({ status, grpcStatus, inTime }: RawEnd): string {
  if (!inTime) return 'no answer';
  return grpcStatus === undefined ? `HTTP ${status}` : `status ${grpcStatus}`;
}

/** Sends the corpus of malformed frames, `rounds` times, and texts that are no requests. Returns what was not answered. */
export async function sendFramingCases(doors: AttackedDoors, rounds: number): Promise<readonly string[]> {
  const session = openSession(doors.grpc);
  const cases = Array.from({ length: rounds }, () => FRAMING_CASES).flat();
  const words = await inParallel(cases.length, 4, async (index) => {
    const chosen = cases[index];
    if (chosen === undefined) return '';
    const end = nameOf(await chosen.way.send(doors, session, chosen.body));
    return end === 'no answer' ? `${chosen.name}: ${end}` : '';
  });
  session.destroy();
  for (const address of [doors.grpc, doors.web, doors.admin]) {
    for (const text of NO_REQUESTS) await sendBytes(address, Buffer.from(text, 'latin1'), 2_000);
  }
  const faults = words.filter((word) => word !== '');
  return faults.length === 0 ? [] : [tally(faults)];
}

/** Sends frames that were spoiled by chance, from a seed; case n of a seed is the first of the seed plus n. */
export async function sendMutatedFrames(doors: AttackedDoors, seed: number, count: number): Promise<readonly string[]> {
  const session = { now: openSession(doors.grpc) };
  const names = Object.keys(MUTATIONS);
  const words = await inParallel(count, 4, async (index) => {
    const random = mulberry32(seed + index);
    const way = WAYS[pick(random, WAYS.length)];
    const other = WAYS[pick(random, WAYS.length)];
    if (way === undefined || other === undefined) return '';
    let message: Uint8Array = way.message;
    // The message within its frame, or the frame itself.
    const isInside = random() < 0.5;
    if (!isInside) message = framed(message);
    for (let left = 1 + pick(random, 3); left > 0; left -= 1) {
      const name = names[pick(random, names.length)] ?? '';
      const mutation = (MUTATIONS as Readonly<Record<string, Mutation>>)[name];
      message = mutation?.(message, { random, other: other.message }) ?? message;
    }
    // What ends a connection of HTTP/2 is not to hide the rest.
    if (session.now.destroyed || session.now.closed) session.now = openSession(doors.grpc);
    const end = nameOf(await way.send(doors, session.now, isInside ? framed(message) : message));
    return end === 'no answer' ? `${way.name}, seed ${seed + index}: ${end}` : '';
  });
  session.now.destroy();
  const faults = words.filter((word) => word !== '');
  return faults.length === 0 ? [] : [tally(faults)];
}

/** The malformed corpus, and what chance makes of good frames. */
export const MALFORMED_ATTACKS: readonly Attack[] = [
  { name: 'malformed-frames', withinMs: 60_000, run: (doors) => sendFramingCases(doors, 10) },
  { name: 'mutated-frames', withinMs: 120_000, run: (doors, seed) => sendMutatedFrames(doors, seed, 3_000) },
];
