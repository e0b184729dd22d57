import { constants } from 'node:http2';
import { setTimeout as passed } from 'node:timers/promises';

import type { Attack } from './attack.ts';
import { tally } from './attack.ts';
import { chatBytes, streamChatBytes } from './bodies.ts';
import { beginCall, callGrpc, endOf, framed, openSession } from './raw-calls.ts';

const HOLD_MS = 8_000;
const WATCH = '/grpc.health.v1.Health/Watch';

/** Sends calls on one connection and holds them. */
function crowd(name: string, connections: number, count: number, model: string): Attack {
  return {
    name,
    withinMs: 60_000,
    run: async ({ grpc }) => {
      const sessions = Array.from({ length: connections }, () => openSession(grpc));
      const body = framed(streamChatBytes({ model }));
      for (let index = 0; index < count; index += 1) {
        const session = sessions[index % sessions.length];
        if (session === undefined || session.destroyed) continue;
        const stream = beginCall(session, 'StreamChat');
        stream.resume();
        stream.end(body);
      }
      await passed(HOLD_MS);
      for (const session of sessions) session.destroy();
      return [];
    },
  };
}

const watchers: Attack = {
  name: 'health-watchers',
  withinMs: 60_000,
  run: async ({ grpc }) => {
    const sessions = Array.from({ length: 9 }, () => openSession(grpc));
    for (const session of sessions) {
      for (let count = 0; count < 1_000; count += 1) {
        if (session.destroyed) break;
        const stream = session.request({
          ':method': 'POST',
          ':path': WATCH,
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        stream.on('error', () => undefined);
        stream.resume();
        stream.end(framed(Buffer.alloc(0)));
      }
      await passed(50);
    }
    await passed(HOLD_MS);
    for (const session of sessions) session.destroy();
    return [];
  },
};

/** Streams that are opened and reset again, as fast as the connection allows; ten connections in turn. */
const resets: Attack = {
  name: 'rapid-resets',
  withinMs: 60_000,
  run: async ({ grpc }) => {
    const body = framed(streamChatBytes({ model: 'mock-slow' }));
    for (let connection = 0; connection < 10; connection += 1) {
      const session = openSession(grpc);
      for (let round = 0; round < 20 && !session.destroyed; round += 1) {
        for (let count = 0; count < 100 && !session.destroyed && !session.closed; count += 1) {
          const stream = beginCall(session, 'StreamChat');
          stream.end(body);
          stream.close(constants.NGHTTP2_CANCEL);
        }
        await passed(10);
      }
      session.destroy();
    }
    return [];
  },
};

/** A caller that leaves a hundred streams a second for ten seconds, as it may, has one stream that it does not leave. */
const cancels: Attack = {
  name: 'cancels',
  withinMs: 30_000,
  run: async ({ grpc }) => {
    const session = openSession(grpc);
    const kept = beginCall(session, 'StreamChat');
    kept.end(framed(streamChatBytes({ model: 'mock-slow' })));
    const told = endOf(kept, 20_000);
    for (let count = 0; count < 1_500 && !session.destroyed && !session.closed; count += 1) {
      const stream = beginCall(session, 'StreamChat');
      stream.end(framed(streamChatBytes({ model: 'mock-slow' })));
      setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 5);
      if (count % 10 === 9) await passed(50);
    }
    const isAlive = !session.destroyed && !session.closed;
    const { grpcStatus } = await told;
    session.destroy();
    return [
      ...(isAlive ? [] : ['the connection was ended']),
      ...(grpcStatus === '0' ? [] : [`the stream that was kept ended with ${grpcStatus ?? 'nothing'}`]),
    ];
  },
};

/** One connection asks as fast as it can. */
const flood: Attack = {
  name: 'flood-of-calls',
  withinMs: 60_000,
  run: async ({ grpc }) => {
    const session = openSession(grpc);
    const body = framed(chatBytes());
    const untilMs = performance.now() + HOLD_MS;
    const words: string[] = [];
    const ask = async (): Promise<void> => {
      while (performance.now() < untilMs && !session.destroyed) {
        const { grpcStatus, inTime } = await callGrpc(session, 'Chat', body);
        words.push(inTime ? (grpcStatus ?? 'nothing') : 'no answer');
      }
    };
    await Promise.all(Array.from({ length: 300 }, ask));
    session.destroy();
    const odd = words.filter((word) => !['0', '8', '14'].includes(word));
    return odd.length === 0 ? [] : [`of ${words.length} calls: ${tally(words)}`];
  },
};

/** What takes the places, the turns or the connections of others. */
export const CROWDING_ATTACKS: readonly Attack[] = [
  crowd('one-connection-of-1000-streams', 1, 1_000, 'mock-stall'),
  crowd('ten-connections-of-200-streams', 10, 2_000, 'mock-stall'),
  watchers,
  resets,
  cancels,
  flood,
];
