import { once } from 'node:events';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { ChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { system } from '../../../src/system.ts';
import { grpcDoor } from '../support/doors.ts';
import { fakeGateway, success } from '../support/fake-gateway.ts';
import { chat } from '../support/requests.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';

const hello = toBinary(ChatRequestSchema, chat());
const frame = Buffer.concat([Buffer.of(0, 0, 0, 0, hello.byteLength), hello]);

/** Watches the health of the whole process. */
function watch(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Watch',
    'content-type': 'application/grpc',
  });
  stream.on('error', () => undefined);
  stream.end(Buffer.alloc(5));
  return stream;
}

function ask(session: ClientHttp2Session, headers: Record<string, string> = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/understudy.v1.LlmService/Chat',
    'content-type': 'application/grpc',
    ...headers,
  });
  stream.on('error', () => undefined);
  stream.end(frame);
  return stream;
}

/** Asks whether the whole process serves. */
function check(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
  });
  stream.end(Buffer.alloc(5));
  return stream;
}

async function statusOf(stream: ClientHttp2Stream): Promise<unknown> {
  let status: unknown;
  const note = (headers: IncomingHttpHeaders): void => {
    status = headers['grpc-status'] ?? status;
  };
  stream.on('response', note).on('trailers', note).resume();
  await once(stream, 'close');
  return status;
}

/** A door whose turns of the event loop are taken by hand from when `hold` is called; which calls began, by their callers. */
async function doorByHand() {
  const held: (() => void)[] = [];
  const state = { isHeld: false, begun: [] as (string | undefined)[] };
  const gateway = fakeGateway((call) => {
    state.begun.push(call.shareKey);
    return Promise.resolve(success());
  });
  // The turn is asked for first; cohorts go on.
  const afterInput = (run: () => void): void => {
    if (state.isHeld && held.length === 0) held.push(run);
    else system.afterInput(run);
  };
  const { transfers, look } = transfersByHand({}, 64 * 1024 * 1024);
  const test = await grpcDoor(gateway, { runtime: { ...system, afterInput }, transfers });
  return {
    ...test,
    begun: () => state.begun,
    transfers,
    look,
    hold: () => {
      state.isHeld = true;
    },
    turn: () => {
      for (const run of held.splice(0)) run();
    },
    release: () => {
      state.isHeld = false;
      for (const run of held.splice(0)) run();
    },
  };
}

test('a connection that asks for much at once holds up nobody else', async () => {
  const begun: (string | undefined)[] = [];
  const gateway = fakeGateway((call) => {
    begun.push(call.shareKey);
    return Promise.resolve(success());
  });
  const door = await grpcDoor(gateway);
  const [greedy, modest] = [door.session(), door.session()];
  await Promise.all([once(greedy, 'remoteSettings'), once(modest, 'remoteSettings')]);
  const many = Array.from({ length: 400 }, () => statusOf(ask(greedy)));
  const one = statusOf(ask(modest));
  expect(await one).toBe('0');
  const place = begun.findIndex((key) => key !== begun[0]);
  expect(place).toBeLessThan(200);
  expect(new Set(await Promise.all(many))).toEqual(new Set(['0']));
  expect(begun).toHaveLength(401);
});

test('a health check waits behind no call, not even behind those of its own connection', async () => {
  let begun = 0;
  const gateway = fakeGateway(() => {
    begun += 1;
    return Promise.resolve(success());
  });
  // Every turn of the loop seems to take 6 ms or some more, so that one call begins in each, and none is late.
  let nowMs = 0;
  let turnMs = 6;
  const clock = (): number => nowMs;
  const afterInput = (run: () => void): void =>
    system.afterInput(() => {
      nowMs += turnMs;
      run();
    });
  const door = await grpcDoor(gateway, { runtime: { ...system, now: clock, busyMs: clock, afterInput } });
  const session = door.session();
  await once(session, 'remoteSettings');
  const calls = Array.from({ length: 200 }, () => statusOf(ask(session)));
  expect(await statusOf(check(session))).toBe('0');
  expect(begun).toBeLessThan(150);
  await Promise.all(calls);
  expect(begun).toBe(200);
  // As long as turns take long, the loop does not sleep.
  turnMs = 0;
});

test('a call that waits for its turn still hears of its deadline, and is not taken for one that arrives slowly', async () => {
  const door = await doorByHand();
  const session = door.session();
  await once(session, 'remoteSettings');
  door.hold();
  const first = Array.from({ length: 40 }, () => statusOf(ask(session)));
  const late = statusOf(ask(session, { 'grpc-timeout': '50m' }));
  const left = ask(session);
  await expect.poll(() => door.transfers.budget.requestBytes).toBeGreaterThan(0);
  door.look(120_000);
  expect(door.transfers.budget.refused.receive_timeout).toBe(0);
  expect(await late).toBe('4');
  left.close(8);
  await expect.poll(() => door.transfers.budget.requestBytes).toBe(7 * hello.byteLength);
  door.release();
  expect(new Set(await Promise.all(first))).toEqual(new Set(['0']));
  expect(door.begun()).toHaveLength(40);
});

test('a call whose deadline has passed while it waited takes no turn from those behind it', async () => {
  const door = await doorByHand();
  const session = door.session();
  await once(session, 'remoteSettings');
  door.hold();
  const first = Array.from({ length: 33 }, () => statusOf(ask(session)));
  await Promise.all(first);
  const late = Array.from({ length: 40 }, () => statusOf(ask(session, { 'grpc-timeout': '50m' })));
  expect(new Set(await Promise.all(late))).toEqual(new Set(['4']));
  const next = Array.from({ length: 10 }, () => statusOf(ask(session)));
  await expect.poll(() => door.transfers.budget.requestBytes).toBe(10 * hello.byteLength);
  door.turn();
  expect(new Set(await Promise.all(next))).toEqual(new Set(['0']));
  door.release();
});

test('twenty streams of a connection may watch health; one more is told to do without, until one of them has ended', async () => {
  const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
  const [one, other] = [door.session(), door.session()];
  const watching = Array.from({ length: 20 }, () => watch(one));
  await Promise.all(watching.map((stream) => once(stream, 'data')));
  expect(await statusOf(watch(one))).toBe('12');
  await once(watch(other), 'data');
  watching[0]?.close(8);
  await expect
    .poll(async () => {
      const stream = watch(one);
      const first = await Promise.race([once(stream, 'data').then(() => 'watches'), statusOf(stream)]);
      return first;
    })
    .toBe('watches');
});
