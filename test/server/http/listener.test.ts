import { get } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openAdmin } from '../../../src/server/admin/operator-door.ts';
import { respondText } from '../../../src/server/http/exchange.ts';
import { createListener, type ListenerOptions } from '../../../src/server/http/listener.ts';
import { webDoor } from '../support/doors.ts';
import { fakeGateway, untilAborted } from '../support/fake-gateway.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';
import { system } from '../../../src/system.ts';

type Answer = Parameters<typeof createListener>[1];

async function listening(answer: Answer, changes: Partial<ListenerOptions> = {}): Promise<string> {
  const listener = createListener({ name: 'web door', runtime: system, ...changes }, answer);
  onTestFinished(() => listener.close());
  return listener.listen('127.0.0.1:0');
}

test('what an answer throws ends its request alone, and is told as a fault that nobody has caught', async () => {
  const faults: (() => void)[] = [];
  const queue = vi.spyOn(globalThis, 'queueMicrotask');
  onTestFinished(() => queue.mockRestore());
  const address = await listening((request, response) => {
    if (request.url === '/faulty') {
      queue.mockImplementationOnce((run) => void faults.push(run));
      throw new TypeError('a fault');
    }
    respondText(response, 200, 'ok');
  });
  expect((await fetch(`http://${address}/faulty`)).status).toBe(500);
  expect(await (await fetch(`http://${address}/`)).text()).toBe('ok\n');
  expect(faults).toHaveLength(1);
  expect(faults[0]).toThrow('a fault');
});

test('idle connections of both listeners are kept for 620 s, or as long as is set', async () => {
  const kept = async (baseUrl: string): Promise<string | null> =>
    (await fetch(`${baseUrl}/livez`)).headers.get('keep-alive');
  const adminAt = async (idleTimeoutMs?: number): Promise<string> => {
    const options = { address: '127.0.0.1:0', isReady: () => true, runtime: system };
    const listener = await openAdmin(idleTimeoutMs === undefined ? options : { ...options, idleTimeoutMs });
    onTestFinished(() => listener.close());
    return `http://${listener.address}`;
  };
  expect(await kept((await webDoor(fakeGateway(untilAborted))).baseUrl)).toBe('timeout=620');
  expect(await kept((await webDoor(fakeGateway(untilAborted), { idleTimeoutMs: 75_000 })).baseUrl)).toBe('timeout=75');
  expect(await kept(await adminAt())).toBe('timeout=620');
  expect(await kept(await adminAt(75_000))).toBe('timeout=75');
});

test('a connection that was idle for longer than a head may take to come is not taken for a slow one', async () => {
  const listener = createListener({ name: 'web door', runtime: system, idleTimeoutMs: 60_000 }, (_request, response) =>
    respondText(response, 200, 'ok'),
  );
  onTestFinished(() => listener.close());
  Object.assign(listener.server, { headersTimeout: 400, requestTimeout: 500, connectionsCheckingInterval: 10 });
  const { port, hostname } = new URL(`http://${await listener.listen('127.0.0.1:0')}`);
  const idle = connect(Number(port), hostname);
  const slow = connect(Number(port), hostname);
  for (const socket of [idle, slow]) onTestFinished(() => void socket.destroy());
  idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(idle, 'data');
  slow.write('GET / HTTP/1.1\r\nHos');
  const [refused] = (await once(slow, 'data')) as [Buffer];
  expect(refused.toString()).toMatch(/^HTTP\/1\.1 408 /);
  // By now the time for a head has passed on the idle one, too.
  idle.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [answered] = (await once(idle, 'data')) as [Buffer];
  expect(answered.toString()).toMatch(/^HTTP\/1\.1 200 /);
});

test.each([
  ['whole, where it was answered early', '/understudy.v1.LlmService/Chat', 'POST', 1_100_000],
  ['never, behind a probe', '/livez', 'GET', 0],
])(
  'the connection of a request whose rest comes %s, is closed also by a client that never does',
  async (_when, path, method, rest) => {
    // The door's five seconds are 100 ms here.
    let nowMs = 0;
    const asked: number[] = [];
    const setTimer = (ms: number, fire: () => void) => {
      asked.push(ms);
      return system.setTimer(100, fire);
    };
    const runtime = { ...system, now: () => nowMs, setTimer };
    const { door } = await webDoor(fakeGateway(untilAborted), { runtime, ...transfersByHand() });
    const { port, hostname } = new URL(`http://${door.address}`);
    const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`);
    socket.write('content-length: 1100000\r\n\r\n');
    await once(socket, 'data');
    socket.write(Buffer.alloc(rest));
    // While a connection is open, it was open last now.
    const isOpen = (): boolean => {
      nowMs += 1;
      return door.usedAtMs() === nowMs;
    };
    await expect.poll(isOpen).toBe(false);
    expect(asked).toContain(5_000);
  },
);

test('an address that is none, or taken, is refused', async () => {
  const answer: Answer = (_request, response) => respondText(response, 200, 'ok');
  const address = await listening(answer);
  await expect(createListener({ name: 'web door', runtime: system }, answer).listen(address)).rejects.toThrow(
    /EADDRINUSE/,
  );
  expect(() => createListener({ name: 'web door', runtime: system }, answer).listen('here')).toThrow(RangeError);
  const [response] = await once(get(`http://${address}/`), 'response');
  response.resume();
});
