import { connect } from 'node:http2';

import { expect, test } from 'vitest';

import { grpcCallerKey } from '../../../../src/server/grpc/calls/session-peer.ts';
import { httpCallerKey, NO_PEER } from '../../../../src/server/port/share-key.ts';

test('a call whose connection is gone is counted for nobody in particular, and does not fail', async () => {
  const session = connect('http://127.0.0.1:1');
  session.on('error', () => undefined);
  session.destroy();
  await new Promise((resolve) => session.once('close', resolve));
  expect(grpcCallerKey(session)).toBe(NO_PEER);
  expect(grpcCallerKey(undefined)).toBe(NO_PEER);
  expect(httpCallerKey(1, {})).toBe(NO_PEER);
});

test('connections of HTTP/2 are callers of their own, those of HTTP/1.1 one caller for each address', () => {
  const [one, other] = [40_001, 40_002].map((remotePort) => ({ remoteAddress: '::1', remotePort }));
  expect(httpCallerKey(2, one ?? {})).not.toBe(httpCallerKey(2, other ?? {}));
  expect(httpCallerKey(1, one ?? {})).toBe(httpCallerKey(1, other ?? {}));
});
