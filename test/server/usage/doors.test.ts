import { Code, createClient, type ServiceImpl } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';

import { UsageDimension, UsageService } from '../../../gen/understudy/v1/usage_service_pb.ts';
import { CALLER } from '../../../src/server/port/caller-key.ts';
import { audienceOf } from '../../../src/server/usage/audience.ts';
import { createUsageHandlers } from '../../../src/server/usage/serve-usage.ts';
import { usageRecord } from '../../support/usage-records.ts';
import { grpcDoor, webDoor } from '../support/doors.ts';
import { fakeGateway } from '../support/fake-gateway.ts';
import { fakeUsage, usageSum } from '../support/fake-usage.ts';

/** Handlers whose door finds out who calls by the name in a header. */
function namedCallers(handlers: ServiceImpl<typeof UsageService>): ServiceImpl<typeof UsageService> {
  const know = (context: Parameters<typeof handlers.getUsage>[1]): typeof context => {
    const name = context.requestHeader.get('x-request-id');
    if (name !== null) context.values.set(CALLER, { name, metricName: name, accounts: [] });
    return context;
  };
  return {
    getUsage: (request, context) => handlers.getUsage(request, know(context)),
    listAttempts: (request, context) => handlers.listAttempts(request, know(context)),
  };
}

const RECORDS = [usageRecord(), usageRecord({ callId: 'b', caller: 'search' })];

describe.each(['gRPC', 'Connect'])('the door of %s', (door) => {
  async function open(usage: ReturnType<typeof fakeUsage>) {
    const handlers = namedCallers(createUsageHandlers(usage.parts, 'callers'));
    const gateway = fakeGateway(() => Promise.reject(new Error('nobody calls')));
    const { baseUrl } = await (door === 'gRPC' ? grpcDoor : webDoor)(gateway, { usage: handlers });
    const transport =
      door === 'gRPC' ? createGrpcTransport({ baseUrl }) : createConnectTransport({ baseUrl, httpVersion: '1.1' });
    return createClient(UsageService, transport);
  }

  test('tells a caller of its own usage alone', async () => {
    const usage = fakeUsage([usageSum(['2026-11-30T00:00:00Z'])], RECORDS);
    const client = await open(usage);
    const headers = { 'x-request-id': 'billing' };
    const { rows } = await client.getUsage({ groupBy: [{ dimension: UsageDimension.DAY }] }, { headers });
    expect(rows).toMatchObject([{ key: ['2026-11-30T00:00:00Z'], costNanoUsd: 2_800_000n }]);
    expect(usage.asked).toMatchObject([{ filter: { equals: new Map([['caller', 'billing']]) } }]);
    const { attempts } = await client.listAttempts({ requestId: 'request-1' }, { headers });
    expect(attempts.map(({ caller }) => caller)).toEqual(['billing']);
    const asked = client.getUsage({ filter: { caller: 'search' } }, { headers });
    await expect(asked).rejects.toMatchObject({ code: Code.PermissionDenied });
    await expect(client.getUsage({})).rejects.toMatchObject({ code: Code.PermissionDenied });
  });
});

test('usage is told at the doors to whoever is named, and otherwise on this machine alone', () => {
  expect(audienceOf(true, ['0.0.0.0:50051'])).toBe('callers');
  expect(audienceOf(false, ['127.0.0.1:50051', 'localhost:8080'])).toBe('operators');
  expect(audienceOf(false, ['127.0.0.1:50051', '[::1]:8080'])).toBe('operators');
  expect(audienceOf(false, ['127.0.0.1:50051', '0.0.0.0:8080'])).toBe('nobody');
  expect(audienceOf(false, ['gateway.example.org:50051', '127.0.0.1:8080'])).toBe('nobody');
});
