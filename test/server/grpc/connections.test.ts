import { once } from 'node:events';
import { constants } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { expect, onTestFinished, test } from 'vitest';
import { HealthCheckRequestSchema } from '../../../gen/grpc/health/v1/health_pb.ts';
import type { ConnectionsConfig } from '../../../src/config/port/resolved.ts';
import { openRawConnection, sendRaw, statusOfRaw } from '../../support/raw-grpc.ts';
import { grpcDoor } from '../support/doors.ts';
import { fakeGateway, SERVING, success, untilAborted } from '../support/fake-gateway.ts';
import { answersPing, IDLE_MS, idleTime } from '../support/idle-time.ts';
import { enveloped } from '../support/web-envelopes.ts';

const HOUR_MS = 3_600_000;

function connections(changes: Partial<ConnectionsConfig>): ConnectionsConfig {
  const keepalive = { intervalMs: HOUR_MS, timeoutMs: HOUR_MS };
  return { maxAgeMs: HOUR_MS, maxAgeGraceMs: HOUR_MS, idleTimeoutMs: HOUR_MS, keepalive, ...changes };
}

function connected(address: string) {
  const client = openRawConnection(address);
  onTestFinished(() => client.destroy());
  return client;
}

/** Answers a stream with one piece at once, and ends it when the test says so. */
function untilFinished() {
  const finish = Promise.withResolvers<void>();
  const gateway = fakeGateway(async (call) => {
    call.client?.started(SERVING);
    await finish.promise;
    return success();
  });
  return { gateway, finish: () => finish.resolve() };
}

test('a connection that is old enough is sent away, and its stream ends well', async () => {
  const { gateway, finish } = untilFinished();
  const { door } = await grpcDoor(gateway, { connections: connections({ maxAgeMs: 1_000 }) });
  const client = connected(door.address);
  const stream = sendRaw(client);
  const status = statusOfRaw(stream);
  await once(client, 'goaway');
  finish();
  expect(await status).toBe('0');
});

test('what is left of a connection after its age and the grace is closed', async () => {
  const gateway = fakeGateway(untilAborted);
  const { door } = await grpcDoor(gateway, { connections: connections({ maxAgeMs: 1_000, maxAgeGraceMs: 50 }) });
  const client = connected(door.address);
  sendRaw(client);
  await once(client, 'close');
  await expect.poll(() => gateway.calls[0]?.signal.aborted).toBe(true);
});

test('a connection without calls is sent away, unary calls keep it', async () => {
  const { runtime, pass } = idleTime();
  const options = { runtime, connections: connections({ idleTimeoutMs: IDLE_MS }) };
  const { door } = await grpcDoor(fakeGateway(untilAborted), options);
  const client = connected(door.address);
  const request = toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema));
  for (let call = 0; call < 3; call += 1) {
    pass(IDLE_MS / 2);
    const stream = client.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.end(enveloped(request));
    expect(await statusOfRaw(stream)).toBe('0');
    await answersPing(client);
  }
  expect(client.closed).toBe(false);
  const closed = once(client, 'close');
  pass(IDLE_MS);
  await closed;
});

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const SETTINGS = Buffer.from('000000040000000000', 'hex');

test.each([
  ['sends nothing', []],
  ['sends half a preface', [PREFACE.subarray(0, 10)]],
  ['sends no more than its settings', [PREFACE, SETTINGS]],
  ['never finishes a head', [PREFACE, SETTINGS, Buffer.from('0000050100000000018386828384', 'hex')]],
])('a client that %s answers no ping, and is cut off', async (_, sent) => {
  const keepalive = { intervalMs: 50, timeoutMs: 50 };
  const { door } = await grpcDoor(fakeGateway(untilAborted), { connections: connections({ keepalive }) });
  const { hostname, port } = new URL(`http://${door.address}`);
  const socket = connectTcp(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  socket.write(Buffer.concat(sent));
  socket.resume();
  await once(socket, 'close');
});

test('a caller that leaves far more calls than Node lets it loses none that it keeps', async () => {
  const { gateway, finish } = untilFinished();
  const { door } = await grpcDoor(gateway);
  const client = connected(door.address);
  const kept = sendRaw(client);
  const status = statusOfRaw(kept);
  for (let round = 0; round < 12; round += 1) {
    const left = Array.from({ length: 100 }, () => sendRaw(client));
    await Promise.all(left.map((stream) => once(stream, 'response')));
    for (const stream of left) stream.close(constants.NGHTTP2_CANCEL);
    await Promise.all(left.map((stream) => once(stream, 'close')));
  }
  expect(client.destroyed).toBe(false);
  finish();
  expect(await status).toBe('0');
});
