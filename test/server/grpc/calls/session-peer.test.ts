import { expect, test } from 'vitest';
import { grpcCallerKey } from '../../../../src/server/grpc/calls/session-peer.ts';
import { httpCallerKey } from '../../../../src/server/port/share-key.ts';

test('a call whose connection is gone has a key all the same', () => {
  const gone = (): string => {
    throw new Error('The socket has been disconnected from the Http2Session');
  };
  expect(grpcCallerKey({ getPeer: gone })).toBe(grpcCallerKey({ getPeer: () => 'unknown' }));
  expect(httpCallerKey(1, {})).toBe('unknown');
});

test('connections of HTTP/2 are callers of their own, those of HTTP/1.1 one caller for each address', () => {
  const [one, other] = [40_001, 40_002].map((remotePort) => ({ remoteAddress: '::1', remotePort }));
  expect(httpCallerKey(2, one ?? {})).not.toBe(httpCallerKey(2, other ?? {}));
  expect(httpCallerKey(1, one ?? {})).toBe(httpCallerKey(1, other ?? {}));
});
