import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { ANSWERED } from '../support/chaos-stage.ts';
import { chaosUpstream, chatTarget } from '../support/failover-stage.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import { askIn } from '../support/ways.ts';

/** What the process may open: a few dozen more than it needs to stand. */
const OPEN_FILES = 64;
const ALERT = 'no file descriptor is left';

test.skipIf(process.platform === 'win32')(
  'a process without descriptors says that it has too much to do, alerts once, and goes on when some are free again',
  async () => {
    const lead = await chaosUpstream();
    const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'understudy.json');
    await writeFile(path, JSON.stringify({ targets: [chatTarget('lead', lead.origin)] }));
    const child = startUnderstudy(['--config', path], {}, { openFiles: OPEN_FILES });
    onTestFinished(() => child.close());
    const { grpc, web } = await child.doors;
    const client = openRpcClient(grpc);
    onTestFinished(() => client.close());

    // The next call will need a new connection.
    lead.script(...ANSWERED, { do: 'end' });
    expect((await askIn({ client }, 'Chat')).error).toBeUndefined();
    await lead.allClosed();

    const idle = await useUp(web);
    for (const _ of [1, 2, 3]) {
      const { error } = await askIn({ client }, 'Chat');
      expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'OVERLOADED' });
      expect(Number(error?.pushback)).toBeGreaterThanOrEqual(1_000);
    }
    await child.printed(ALERT);
    expect(child.stdout().split(ALERT)).toHaveLength(2);
    expect(child.stdout()).not.toContain('target needs attention');

    await Promise.all(idle.map((socket) => closed(socket)));
    lead.script(...ANSWERED);
    expect((await askIn({ client }, 'Chat')).error).toBeUndefined();
  },
);

/** Opens idle connections until the process has none left for them, and returns those that it holds. */
async function useUp(web: string): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(web);
  const sockets = Array.from({ length: 2 * OPEN_FILES }, () => connect(Number(port), hostname));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await new Promise<void>((resolve) => {
    for (const socket of sockets) socket.on('error', () => undefined).once('close', () => resolve());
  });
  return sockets;
}

/** Closes a connection; resolves when that is done. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', () => resolve()).destroy();
  });
}
