import type { ClientHttp2Session } from 'node:http2';

import type { Attack } from './attack.ts';
import { inParallel } from './attack.ts';
import { chatBytes } from './bodies.ts';
import { callGrpc, framed, openSession } from './raw-calls.ts';
import { SICK_ANSWERS } from './sick-provider.ts';

/** Calls that one request may buy of an answer that never heals: one, and one repeat; a redirect is not repeated. */
const MOST_BOUGHT = 2;

async function ask(session: ClientHttp2Session, count: number, atOnce: number): Promise<number> {
  const body = framed(chatBytes({ targets: ['sick'] }));
  const ends = await inParallel(count, atOnce, () => callGrpc(session, 'Chat', body, { withinMs: 20_000 }));
  return ends.filter(({ inTime }) => !inTime).length;
}

/** A provider whose answers are made to hurt. */
const sickProvider: Attack = {
  name: 'sick-provider',
  withinMs: 180_000,
  run: async ({ grpc, sick }) => {
    const faults: string[] = [];
    const session = openSession(grpc);
    for (const how of Object.keys(SICK_ANSWERS)) {
      sick.answer(how);
      if ((await ask(session, 1, 1)) > 0) faults.push(`${how}: no answer`);
      const most = how === 'redirect' ? 1 : MOST_BOUGHT;
      if (sick.count > most) faults.push(`${how}: ${sick.count} calls bought for one`);
      await ask(session, 3, 3);
    }
    session.destroy();
    return faults;
  },
};

/** An answer of more than 20 MiB, paid for, is to be told with details. */
const largeAnswer: Attack = {
  name: 'answer-over-the-limit',
  withinMs: 60_000,
  run: async ({ grpc, sick }) => {
    sick.answer('12 MiB of text');
    const session = openSession(grpc);
    const { grpcStatus, details } = await callGrpc(session, 'Chat', framed(chatBytes({ targets: ['sick'] })), {
      withinMs: 30_000,
    });
    session.destroy();
    return grpcStatus === '0' || details !== undefined ? [] : [`grpc-status ${grpcStatus} without details`];
  },
};

/** What providers can do. */
export const PROVIDER_ATTACKS: readonly Attack[] = [sickProvider, largeAnswer];
