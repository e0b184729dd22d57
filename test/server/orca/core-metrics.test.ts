import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { ChatRequestSchema, StreamChatRequestSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { type OrcaLoadReport, OrcaLoadReportSchema } from '../../../gen/xds/data/orca/v3/orca_load_report_pb.ts';
import { OpenRcaService, OrcaLoadReportRequestSchema } from '../../../gen/xds/service/orca/v3/orca_pb.ts';
import { ServingStatus } from '../../../src/server/health/serving-status.ts';
import { createCoreMetrics } from '../../../src/server/orca/core-metrics.ts';
import { LoadReports } from '../../../src/server/orca/load-reports.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';
import { grpcDoor, rawCall } from '../support/doors.ts';
import { failed, fakeGateway, SERVING, success } from '../support/fake-gateway.ts';
import { context } from '../support/handler-calls.ts';
import { loadFigures } from '../support/load-figures.ts';
import { chat } from '../support/requests.ts';

const hello = toBinary(ChatRequestSchema, chat());

/** What listens to load by a virtual clock. */
function listening(intervalMs?: number) {
  const runtime = createVirtualRuntime();
  const serving = new ServingStatus(() => [], runtime);
  const reports = new LoadReports(() => loadFigures());
  const call = context();
  const request = create(OrcaLoadReportRequestSchema, {
    reportInterval: intervalMs === undefined ? undefined : durationFromMs(intervalMs),
  });
  const atMs: number[] = [];
  const read = async (): Promise<unknown> => {
    try {
      const service = createCoreMetrics({ reports, serving, timers: runtime });
      for await (const report of service.streamCoreMetrics(request, call)) {
        expect(report).toMatchObject({ rpsFractional: 40 });
        atMs.push(runtime.now());
      }
    } catch (error) {
      return error;
    }
    return undefined;
  };
  return { runtime, serving, call, atMs, ended: read() };
}

describe('out of band', () => {
  test('a report comes at once and after each interval that was asked for', async () => {
    const { runtime, atMs, call, ended } = listening(2_500);
    await runtime.advance(6_000);
    expect(atMs).toEqual([0, 2_500, 5_000]);
    call.abort();
    await ended;
    expect(runtime.pendingTimers()).toBe(0);
  });

  test.each([undefined, 0, 10, -5_000])('reports come once a second where %s ms are asked for', async (askedMs) => {
    const { runtime, atMs, call, ended } = listening(askedMs);
    await runtime.advance(2_500);
    expect(atMs).toEqual([0, 1_000, 2_000]);
    call.abort();
    await ended;
  });

  test('they end with UNAVAILABLE in the moment in which the server begins to go down', async () => {
    const { runtime, serving, atMs, ended } = listening(60_000);
    await runtime.advance(10);
    serving.startDraining();
    expect(await ended).toMatchObject({ code: Code.Unavailable });
    expect(atMs).toEqual([0]);
    expect(runtime.pendingTimers()).toBe(0);
  });

  test('a client hears of the load, and others than the first twenty of a connection are told to come again later', async () => {
    const door = await grpcDoor(
      fakeGateway(() => Promise.resolve(success())),
      { loadFigures: () => loadFigures() },
    );
    const client = createClient(OpenRcaService, createGrpcTransport({ baseUrl: door.baseUrl }));
    const stop = new AbortController();
    const listen = (): AsyncIterator<OrcaLoadReport> =>
      client.streamCoreMetrics({}, { signal: stop.signal })[Symbol.asyncIterator]();
    const listeners = Array.from({ length: 20 }, listen);
    for (const listener of listeners) {
      const { value: report } = await listener.next();
      expect(report).toMatchObject({ applicationUtilization: 0.5, eps: 2 });
    }
    const refused = await listen()
      .next()
      .catch((error: unknown) => ConnectError.from(error));
    expect(refused).toMatchObject({ code: Code.Unavailable });
    stop.abort();
  });

  test('where nothing is measured, there is no such service', async () => {
    const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
    const client = createClient(OpenRcaService, createGrpcTransport({ baseUrl: door.baseUrl }));
    const reports = client.streamCoreMetrics({})[Symbol.asyncIterator]();
    await expect(reports.next()).rejects.toMatchObject({ code: Code.Unimplemented });
  });
});

describe('with each call', () => {
  const reportOf = (header: string | readonly string[] | undefined): OrcaLoadReport =>
    fromBinary(OrcaLoadReportSchema, Buffer.from(String(header), 'base64'));

  test('answers, streams and errors end with a report', async () => {
    let isGood = true;
    const gateway = fakeGateway((call) => {
      if (!isGood) return Promise.resolve(failed());
      call.client?.started(SERVING);
      return Promise.resolve(success([{ kind: 'text', index: 0, text: 'hi' }]));
    });
    const door = await grpcDoor(gateway, { loadFigures: () => loadFigures() });
    const session = door.session();
    const answer = await rawCall(session, 'Chat', hello);
    expect(reportOf(answer.trailers?.['endpoint-load-metrics-bin'])).toMatchObject({ rpsFractional: 40 });
    const { messages } = chat();
    const request = toBinary(StreamChatRequestSchema, create(StreamChatRequestSchema, { messages }));
    const stream = await rawCall(session, 'StreamChat', request);
    expect(reportOf(stream.trailers?.['endpoint-load-metrics-bin'])).toMatchObject({ rpsFractional: 40 });
    isGood = false;
    const error = await rawCall(session, 'Chat', hello);
    const ends = error.trailers ?? error.headers;
    expect(ends['grpc-status']).toBe('14');
    expect(reportOf(ends['endpoint-load-metrics-bin'])).toMatchObject({ eps: 2 });
  });

  test('where nothing is measured, none has', async () => {
    const door = await grpcDoor(fakeGateway(() => Promise.resolve(success())));
    const { trailers } = await rawCall(door.session(), 'Chat', hello);
    expect(trailers).toMatchObject({ 'grpc-status': '0' });
    expect(trailers).not.toHaveProperty('endpoint-load-metrics-bin');
  });
});
