import dns from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as passed } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { ANSWERED, BEGUN, chaosStage, OTHER, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, lastChunk } from '../support/chaos-upstream.ts';
import { chaosUpstream, chatTarget, gatewayFor } from '../support/failover-stage.ts';
import { goodAnswer, STREAM_END, textEvent } from '../support/openai-bodies.ts';
import { sendRaw, statusOfRaw } from '../support/raw-grpc.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import type { RpcClient } from '../support/rpc-client.ts';
import { startUnderstudy } from '../support/understudy-process.ts';
import type { UnderstudyProcess } from '../support/understudy-process.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };
const REST: readonly ChaosStep[] = [
  chunk(textEvent('the ')),
  chunk(textEvent('question.')),
  chunk(STREAM_END),
  lastChunk,
];

/** A gateway as a process of its own. */
async function processWith(
  config: ConfigInput,
): Promise<{ readonly child: UnderstudyProcess; readonly client: RpcClient }> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'understudy.json');
  await writeFile(path, JSON.stringify({ retry: { backoff: ['10ms'], jitter: 'NONE', max_repeats: 1 }, ...config }));
  const child = startUnderstudy(['--config', path]);
  onTestFinished(() => child.close());
  const client = openRpcClient((await child.doors).grpc);
  onTestFinished(() => client.close());
  return { child, client };
}

describe('a connection that is half open', REAL_TIME, () => {
  test.each(WAYS)('to a provider is given up, and not used again (%s)', async (way) => {
    const { lead, gateway } = await chaosStage({ timeouts: { first_output: '300ms' } });
    lead.script(...ANSWERED);
    expect(await askIn(gateway, way)).toMatchObject({ trail: ['FIRST lead OK'] });
    // The peer is gone without a word: the next request goes into the void.
    lead.script(UNTIL_GONE);
    const { trail, delivered } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
    expect((await lead.request(1)).connection).toBe(0);
    lead.script(...ANSWERED);
    expect(await askIn(gateway, way)).toMatchObject({ trail: ['FIRST lead OK'], delivered: WHOLE });
    expect((await lead.request(2)).connection).toBe(1);
  });

  test('from a caller of the web door is a caller that has left: the call of the provider is given up', async () => {
    const { lead, second, gateway, leadHealth } = await chaosStage();
    lead.script(...BEGUN, UNTIL_GONE);
    const { hostname, port } = new URL(gateway.web);
    const body = '{"prompt":"hello"}';
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    socket.write(
      `POST /understudy.v1.LlmService/Generate HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    await lead.request(0);
    socket.end();
    await lead.allClosed();
    expect([lead.requestCount, second.connectionCount]).toEqual([1, 0]);
    expect((await leadHealth()).failures).toBe(0n);
  });
});

describe('a window of zero', REAL_TIME, () => {
  test('of a caller holds back its own stream alone, which goes on when the window opens', async () => {
    const { lead, second, gateway } = await chaosStage();
    lead.script(...ANSWERED);
    const session = connectHttp2(`http://${gateway.address}`, { settings: { initialWindowSize: 0 } });
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
    const stream = sendRaw(session);
    const answered = once(stream, 'response');
    await lead.request(0);
    await answered;
    lead.script(...ANSWERED);
    expect(await askIn(gateway, 'StreamChat')).toMatchObject({ trail: ['FIRST lead OK'], delivered: WHOLE });
    session.settings({ initialWindowSize: 65_535 });
    expect(await statusOfRaw(stream)).toBe('0');
    expect(second.connectionCount).toBe(0);
  });

  test('of a provider that reads no request ends in the second target', async () => {
    const deaf = createServer((socket) => socket.on('error', () => undefined).pause());
    deaf.listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    onTestFinished(() => void deaf.close());
    const address = deaf.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const second = await chaosUpstream();
    second.script(...goodAnswer(true, OTHER));
    const gateway = await gatewayFor({
      targets: [
        chatTarget('deaf', `http://127.0.0.1:${address.port}`, { timeouts: { first_output: '300ms' } }),
        chatTarget('second', second.origin, { model: 'model-2' }),
      ],
    });
    // More than the buffers of both systems hold, and no more than text may have.
    const { trail, delivered } = await askIn(gateway, 'StreamChat', { text: 'words '.repeat(1_300_000) });
    expect([trail, delivered]).toEqual([['FIRST deaf PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
  });
});

describe('an event loop that is blocked', REAL_TIME, () => {
  test.each(['Chat', 'StreamChat'] as const)(
    'is not blamed on the provider, whose answer is there when it goes on (%s)',
    async (way) => {
      const lead = await chaosUpstream();
      const { child, client } = await processWith({
        targets: [chatTarget('lead', lead.origin, { timeouts: { first_output: '3s', progress: '3s' } })],
      });
      // The first call loads what takes long.
      lead.script(...ANSWERED);
      await askIn({ client }, way);
      const { promise: until, resolve } = Promise.withResolvers<void>();
      lead.script(...BEGUN, { do: 'hold', until }, ...REST);
      const asked = askIn({ client }, way);
      await lead.request(1);
      child.kill('SIGSTOP');
      resolve();
      // The timers of the process are more than a second late when it goes on (engine rule X2).
      await passed(4_500);
      child.kill('SIGCONT');
      expect(await asked).toMatchObject({ trail: ['FIRST lead OK'], delivered: WHOLE });
      expect(lead.requestCount).toBe(2);
    },
  );
});

describe('a name that is looked up slowly', REAL_TIME, () => {
  const { lookup } = dns;

  /** Answers a look-up of `slow.invalid` with 127.0.0.1 after a while, or never. */
  function slowLookups(afterMs: number | undefined): void {
    const spy = vi.spyOn(dns, 'lookup');
    onTestFinished(() => spy.mockRestore());
    spy.mockImplementation((...args: unknown[]) => {
      const [name, options] = args;
      const done = args.at(-1);
      if (name !== 'slow.invalid' || typeof done !== 'function') {
        Reflect.apply(lookup, dns, args);
        return;
      }
      if (afterMs === undefined) return;
      const all = typeof options === 'object' && options !== null && 'all' in options && options.all === true;
      setTimeout(() => {
        if (all) done(null, [{ address: '127.0.0.1', family: 4 }]);
        else done(null, '127.0.0.1', 4);
      }, afterMs);
    });
  }

  test('is waited for within the time for connecting', async () => {
    slowLookups(100);
    const lead = await chaosUpstream();
    lead.script(...ANSWERED);
    const origin = lead.origin.replace('127.0.0.1', 'slow.invalid');
    const gateway = await gatewayFor({ targets: [chatTarget('lead', origin)] });
    expect(await askIn(gateway, 'StreamChat')).toMatchObject({ trail: ['FIRST lead OK'], delivered: WHOLE });
  });

  test('is given up after it, and calls of other targets do not wait', async () => {
    slowLookups(undefined);
    const second = await chaosUpstream();
    second.script(...goodAnswer(true, OTHER));
    second.script(...goodAnswer(true, OTHER));
    const slow = chatTarget('slow', 'http://slow.invalid:9', { timeouts: { connect: '300ms' } });
    const gateway = await gatewayFor({
      targets: [slow, chatTarget('second', second.origin, { model: 'model-2' })],
    });
    const asked = askIn(gateway, 'StreamChat');
    const beside = await askIn(gateway, 'StreamChat', { routing: { targets: ['second'] } });
    expect(beside).toMatchObject({ trail: ['FIRST second OK'], delivered: OTHER });
    const { trail, delivered } = await asked;
    expect([trail.at(-1), delivered]).toEqual(['FAILOVER second OK', OTHER]);
    expect(trail[0]).toMatch(/^FIRST slow PROVIDER_/);
  });
});
