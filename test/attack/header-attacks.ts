import { setTimeout as passed } from 'node:timers/promises';

import type { Attack } from './attack.ts';
import { inParallel, tally } from './attack.ts';
import { chatBytes } from './bodies.ts';
import { callGrpc, framed, openSession, postWeb, sendBytes } from './raw-calls.ts';

const PLANTED = 'planted-secret-of-the-caller';
/** Bytes that a flood of odd headers may print in all. */
const MOST_PRINTED = 200_000;

const oddHeaders: Attack = {
  name: 'odd-headers',
  withinMs: 60_000,
  run: async ({ grpc, stderr }) => {
    const before = stderr().length;
    const session = openSession(grpc);
    const body = framed(chatBytes());
    const long = `${PLANTED}é`.repeat(2_000);
    await inParallel(300, 20, async (index) => {
      const value = index % 2 === 0 ? `Bearer ${PLANTED}é` : long;
      const method = index % 3 === 0 ? 'StreamChat' : 'Chat';
      return callGrpc(session, method, body, { headers: { authorization: Buffer.from(value).toString('latin1') } });
    });
    session.destroy();
    // What was printed comes through a pipe.
    await passed(200);
    const printed = stderr().slice(before);
    return [
      ...(printed.includes('planted') ? ['a header of a caller was printed'] : []),
      ...(printed.length > MOST_PRINTED ? [`${printed.length} characters were printed`] : []),
    ];
  },
};

const LONG_TIMEOUTS = ['', '0', '-1S', '1', 'S', '1s', '123456789S', '1e3m', '1.5S', '9'.repeat(4_000)];

const oddTimeouts: Attack = {
  name: 'odd-timeouts',
  withinMs: 60_000,
  run: async ({ grpc }) => {
    const session = openSession(grpc);
    const words: string[] = [];
    for (const method of ['Chat', 'StreamChat']) {
      for (const timeout of LONG_TIMEOUTS) {
        const end = await callGrpc(session, method, framed(chatBytes()), { headers: { 'grpc-timeout': timeout } });
        if (!end.inTime) words.push(`${method} ${timeout.slice(0, 12)}: no answer`);
        else if (end.grpcStatus === '0') words.push(`${method} ${timeout.slice(0, 12)}: taken`);
      }
    }
    session.destroy();
    return words.length === 0 ? [] : [tally(words)];
  },
};

/** A page under a foreign name asks for paid calls, and for what operators may do. */
const foreignPages: Attack = {
  name: 'foreign-pages',
  withinMs: 30_000,
  run: async ({ web, admin }) => {
    const body = Buffer.from('{"prompt":"hello"}');
    const json = { 'content-type': 'application/json' };
    const faults: string[] = [];
    for (const [name, headers] of [
      ['origin', { origin: 'http://attacker.example' }],
      ['host', { host: 'attacker.example:8080' }],
      ['origin and host', { origin: 'http://attacker.example:8080', host: 'attacker.example:8080' }],
      ['null origin', { origin: 'null' }],
    ] as const) {
      const { status } = await postWeb(web, 'Generate', body, { headers: { ...json, ...headers } });
      if (status < 400) faults.push(`web, foreign ${name}: ${status}`);
    }
    for (const path of ['/metrics', '/understudy.v1.AdminService/ResetTarget']) {
      const { text } = await sendBytes(
        admin,
        `GET ${path} HTTP/1.1\r\nhost: attacker.example\r\nconnection: close\r\n\r\n`,
      );
      if (text.startsWith('HTTP/1.1 2')) faults.push(`admin, foreign host: ${path}`);
    }
    return faults;
  },
};

/** What headers can do. */
export const HEADER_ATTACKS: readonly Attack[] = [oddHeaders, oddTimeouts, foreignPages];
