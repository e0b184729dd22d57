import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';

import type { Attack } from './attack.ts';
import { inParallel } from './attack.ts';
import { chatBytes, streamChatBytes } from './bodies.ts';
import { beginCall, framed, openSession } from './raw-calls.ts';

const MIB = 1024 * 1024;
/** How long the attackers hold on to what they have. */
const HOLD_MS = 8_000;

/** Opens many connections at once; they end with what is done with them. */
async function withSessions(
  grpc: string,
  count: number,
  use: (sessions: readonly ClientHttp2Session[]) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const sessions = Array.from({ length: count }, () => openSession(grpc));
  try {
    return await use(sessions);
  } finally {
    for (const session of sessions) session.destroy();
  }
}

/** Opens TCP connections one after the other; those that are refused are left out. */
async function openSockets(origin: string, count: number): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(origin.includes('://') ? origin : `http://${origin}`);
  return inParallel(count, 50, async () => {
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => {
      socket.once('connect', resolve);
      socket.on('error', resolve);
      socket.once('close', resolve);
    });
    return socket;
  });
}

/** 100 requests of 18 MiB whose last byte never comes. */
function withheld(name: string, method: string): Attack {
  return {
    name,
    withinMs: 60_000,
    run: ({ grpc }) =>
      withSessions(grpc, 10, async (sessions) => {
        const body = framed(Buffer.alloc(18 * MIB)).subarray(0, -1);
        for (let index = 0; index < 100; index += 1) {
          const session = sessions[index % sessions.length];
          if (session === undefined || session.destroyed) continue;
          const stream = beginCall(session, method);
          stream.resume();
          stream.write(body);
        }
        await passed(HOLD_MS);
        return [];
      }),
  };
}

const withheldAtTheWebDoor: Attack = {
  name: 'withheld-last-byte-web',
  withinMs: 60_000,
  run: async ({ web }) => {
    const sockets = await openSockets(web, 100);
    const body = Buffer.alloc(18 * MIB - 1, ' ');
    for (const socket of sockets) {
      socket.write(
        'POST /understudy.v1.LlmService/Chat HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n' +
          `content-length: ${18 * MIB}\r\n\r\n`,
      );
      socket.write(body);
    }
    await passed(HOLD_MS);
    for (const socket of sockets) socket.destroy();
    return [];
  },
};

/** Answers of 5 MiB of text, which stands in them twice, that their callers do not read; nor do they hear of their deadline. */
function unread(name: string, method: 'Chat' | 'StreamChat', count: number): Attack {
  return {
    name,
    withinMs: 60_000,
    run: ({ grpc, sick }) =>
      withSessions(grpc, count, async (sessions) => {
        sick.answer('5 MiB of text');
        const targets = ['sick'];
        const bytes = method === 'Chat' ? chatBytes({ targets }) : streamChatBytes({ targets });
        const streams = sessions.map((session) => beginCall(session, method, { 'grpc-timeout': '3S' }));
        for (const stream of streams) {
          stream.pause();
          stream.end(framed(bytes));
        }
        await passed(HOLD_MS);
        const held = streams.filter(({ closed }) => !closed).length;
        return held === 0 ? [] : [`${held} of ${count} answers are held ${HOLD_MS / 1_000 - 3} s past their deadline`];
      }),
  };
}

/** Connections that say nothing, or little by little. */
const slowConnections: Attack = {
  name: 'slow-connections',
  withinMs: 60_000,
  run: async ({ grpc, web, admin }) => {
    const sockets = (await Promise.all([grpc, web, admin].map((door) => openSockets(door, 300)))).flat();
    for (let round = 0; round < 8; round += 1) {
      for (const socket of sockets) if (!socket.destroyed) socket.write(round === 0 ? 'POST / HTTP/1.1\r\nx: ' : 'y');
      await passed(HOLD_MS / 8);
    }
    for (const socket of sockets) socket.destroy();
    return [];
  },
};

/** What holds bytes or connections that the gateway would like to have back. */
export const HOLDING_ATTACKS: readonly Attack[] = [
  withheld('withheld-last-byte', 'Chat'),
  withheld('withheld-last-byte-streamed', 'StreamChat'),
  withheldAtTheWebDoor,
  unread('unread-answers', 'Chat', 16),
  unread('unread-streams', 'StreamChat', 16),
  slowConnections,
];
