import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { AdminService, ForcedState } from '../../../gen/understudy/v1/admin_pb.ts';
import { openAdmin } from '../../../src/server/admin/operator-door.ts';
import { createAdminHandlers } from '../../../src/server/admin/operator-service.ts';
import type { OperatorAct } from '../../../src/server/port/operator-act.ts';
import { fakeGateway, success } from '../support/fake-gateway.ts';
import { system } from '../../../src/system.ts';

/** An admin door over one target, what was done to it, and what was told of that. */
async function stage() {
  const gateway = fakeGateway(() => Promise.resolve(success()));
  const [known] = gateway.targets();
  const done: string[] = [];
  const acts: OperatorAct[] = [];
  const handlers = createAdminHandlers({
    gateway,
    operator: {
      force: (target, state, circuit) => done.push(`${target} ${state} ${circuit}`) > 0,
      reset: (target) => done.push(`${target} reset`) > 0,
      hasModel: (_target, model) => model === 'known',
    },
    acted: (act) => acts.push(act),
  });
  const listener = await openAdmin({ address: '127.0.0.1:0', isReady: () => true, handlers, runtime: system });
  onTestFinished(() => listener.close());
  const transport = createConnectTransport({ httpVersion: '1.1', baseUrl: `http://${listener.address}` });
  return { admin: createClient(AdminService, transport), target: known?.target ?? '', done, acts };
}

const PEER: unknown = expect.stringMatching(/^127\.0\.0\.1:\d+$/);

test('what an operator does is told: who, what, and that it was done', async () => {
  const { admin, target, done, acts } = await stage();
  await admin.forceCircuit({ target, state: ForcedState.OPEN });
  await admin.forceCircuit({ target, model: 'known', state: ForcedState.CLOSED });
  await admin.resetTarget({ target });
  expect(done).toEqual([`${target} OPEN undefined`, `${target} CLOSED known`, `${target} reset`]);
  expect(acts).toEqual([
    { method: 'ForceCircuit', peer: PEER, target, state: 'OPEN', status: 'OK' },
    { method: 'ForceCircuit', peer: PEER, target, state: 'CLOSED', circuit: 'known', status: 'OK' },
    { method: 'ResetTarget', peer: PEER, target, status: 'OK' },
  ]);
});

test('what an operator is refused is told too, but no word that names nothing here', async () => {
  const { admin, target, done, acts } = await stage();
  const model = '';
  for (const wrong of [
    { target: 'sk-secret', model, state: ForcedState.OPEN },
    { target, model, state: ForcedState.UNSPECIFIED },
    { target, model: 'sk-secret', state: ForcedState.OPEN },
    { target, model: 'known', state: ForcedState.DISABLED },
  ]) {
    await expect(admin.forceCircuit(wrong)).rejects.toThrow();
  }
  await expect(admin.resetTarget({ target: 'sk-secret' })).rejects.toThrow();
  expect(done).toEqual([]);
  expect(
    acts.map(({ method, status, reason, target: named, state }) => [method, status, reason, named, state]),
  ).toEqual([
    ['ForceCircuit', 'NOT_FOUND', 'TARGET_NOT_FOUND', undefined, undefined],
    ['ForceCircuit', 'INVALID_ARGUMENT', 'INVALID_REQUEST', target, undefined],
    ['ForceCircuit', 'NOT_FOUND', 'MODEL_NOT_FOUND', target, 'OPEN'],
    ['ForceCircuit', 'INVALID_ARGUMENT', 'INVALID_REQUEST', target, 'DISABLED'],
    ['ResetTarget', 'NOT_FOUND', 'TARGET_NOT_FOUND', undefined, undefined],
  ]);
  expect(JSON.stringify(acts)).not.toContain('sk-secret');
});
