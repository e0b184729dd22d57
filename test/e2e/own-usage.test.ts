import { createHash } from 'node:crypto';

import { Code, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { UsageDimension, UsageService } from '../../gen/understudy/v1/usage_service_pb.ts';
import { createConfig } from '../../src/config/load.ts';
import { wireGateway } from '../../src/wire-gateway.ts';
import { askStore } from '../../src/ledger/queries/ask-store.ts';
import { openGrpcDoor } from '../../src/server/grpc/native-door.ts';
import { ServingStatus } from '../../src/server/health/serving-status.ts';
import { audienceOf } from '../../src/server/usage/audience.ts';
import { createUsageHandlers } from '../../src/server/usage/serve-usage.ts';
import { openWebDoor } from '../../src/server/web/http-door.ts';
import { system } from '../../src/system.ts';
import { openSqliteStore } from '../support/stores-of-usage.ts';
import { usageRecord } from '../support/usage-records.ts';

const KEYS = { billing: 'key-of-billing-0123456789', search: 'key-of-search-0123456789' };

const closing: (() => Promise<void>)[] = [];
let addresses: { readonly grpc: string; readonly web: string };

beforeAll(async () => {
  const callers = Object.entries(KEYS).map(([name, key]) => ({
    name,
    api_keys: [{ sha256: createHash('sha256').update(key).digest('hex') }],
  }));
  const config = createConfig({ config: { targets: [{ name: 'lead', provider: 'mock' }], callers } });
  const gateway = wireGateway({ config, version: '0.0.0-test', system });
  const store = await openSqliteStore();
  await store.holds([
    usageRecord({ callId: 'a' }),
    usageRecord({ callId: 'b', caller: 'search', costNanoUsd: 7n }),
    usageRecord({ callId: 'c', caller: 'search', requestId: 'request-2', costNanoUsd: 8n }),
  ]);
  const { authentication } = gateway;
  const wall = (): number => Date.UTC(2026, 11, 1);
  const audience = audienceOf(authentication() !== undefined, []);
  const usage = createUsageHandlers({ ...gateway.usage, queries: askStore(store), wall }, audience);
  const serving = new ServingStatus(() => gateway.port.targets(), system);
  const shared = { address: '127.0.0.1:0', runtime: system, handlers: gateway.handlers(), usage, authentication };
  const grpc = await openGrpcDoor({ ...shared, serving });
  const web = await openWebDoor({ ...shared, isReady: () => true });
  closing.push(
    () => grpc.drain(0),
    () => web.drain(0),
    () => gateway.close(),
    () => store.close(),
  );
  addresses = { grpc: `http://${grpc.address}`, web: `http://${web.address}` };
});

afterAll(async () => {
  for (const close of closing) await close();
});

describe.each<readonly [string, (at: typeof addresses) => Transport]>([
  ['gRPC', ({ grpc: baseUrl }) => createGrpcTransport({ baseUrl })],
  ['Connect', ({ web: baseUrl }) => createConnectTransport({ baseUrl, httpVersion: '1.1' })],
  ['gRPC-Web', ({ web: baseUrl }) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' })],
])('over %s', (_protocol, transport) => {
  test('callers with keys see their own usage alone', async () => {
    const client = createClient(UsageService, transport(addresses));
    const groupBy = [{ dimension: UsageDimension.CALLER }];
    for (const [name, key, costNanoUsd] of [
      ['billing', KEYS.billing, 2_800_000n],
      ['search', KEYS.search, 15n],
    ] as const) {
      const headers = { authorization: `Bearer ${key}` };
      const { rows } = await client.getUsage({ groupBy, start: { seconds: 0n } }, { headers });
      expect(rows).toMatchObject([{ key: [name], costNanoUsd }]);
      const { attempts } = await client.listAttempts({ requestId: 'request-1' }, { headers });
      expect(attempts.map(({ caller }) => caller)).toEqual([name]);
    }
    const headers = { 'x-api-key': KEYS.billing };
    await expect(client.getUsage({ filter: { caller: 'search' } }, { headers })).rejects.toMatchObject({
      code: Code.PermissionDenied,
    });
  });

  test('nobody is told anything without a key, or with a wrong one', async () => {
    const client = createClient(UsageService, transport(addresses));
    for (const headers of [{}, { 'x-api-key': 'made-up' }]) {
      await expect(client.getUsage({}, { headers })).rejects.toMatchObject({ code: Code.Unauthenticated });
      await expect(client.listAttempts({ requestId: 'request-1' }, { headers })).rejects.toMatchObject({
        code: Code.Unauthenticated,
      });
    }
  });
});
