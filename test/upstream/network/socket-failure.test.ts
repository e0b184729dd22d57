import { describe, expect, it } from 'vitest';

import { FailureError } from '../../../src/core/failure.ts';
import { ConnectionError, networkFailure } from '../../../src/upstream/network/socket-failure.ts';

const secret = 'https://user:sk-secret@example.test:443/v1';

function errno(code: string, extra: object = {}): Error {
  return Object.assign(new Error(`failed at ${secret}`), { code, ...extra });
}

describe('a failure of the network', () => {
  it.each([
    ['ECONNREFUSED', 'connect'],
    ['EHOSTUNREACH', 'connect'],
    ['ENETUNREACH', 'connect'],
    ['ENOTFOUND', 'connect'],
    ['EAI_AGAIN', 'connect'],
    ['EADDRNOTAVAIL', 'connect'],
    ['UND_ERR_CONNECT_TIMEOUT', 'connect'],
    ['CERT_HAS_EXPIRED', 'tls'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'tls'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls'],
    ['EPROTO', 'tls'],
    ['ECONNRESET', 'reset'],
    ['EPIPE', 'reset'],
    ['ETIMEDOUT', 'reset'],
    ['UND_ERR_SOCKET', 'reset'],
    ['UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'reset'],
    ['HPE_INVALID_EOF_STATE', 'reset'],
    ['HPE_INVALID_CHUNK_SIZE', 'protocol'],
    ['HPE_INVALID_CONSTANT', 'protocol'],
    ['UND_ERR_HEADERS_OVERFLOW', 'protocol'],
    ['UND_ERR_HEADERS_TIMEOUT', 'silence'],
    ['UND_ERR_DESTROYED', 'local_refusal'],
    ['EMFILE', 'local_refusal'],
    ['UND_ERR_INVALID_ARG', 'internal'],
    ['ERR_ASSERTION', 'internal'],
  ])('with %s is of class %s', (code, expected) => {
    const failure = networkFailure(errno(code));
    expect(failure.class).toBe(expected);
    expect(failure.providerCode).toBe(code);
    expect(failure.message).not.toContain('secret');
  });

  it.each(['EMFILE', 'ENFILE'])(
    'with %s says that the gateway has too much to do, and that nothing was sent',
    (code) => {
      for (const error of [errno(code), new ConnectionError(errno(code), 'unsent', false)]) {
        const { cause, ...told } = networkFailure(error);
        expect(told).toEqual({
          class: 'local_refusal',
          reason: 'OVERLOADED',
          message: 'The gateway has no file descriptor left.',
          providerCode: 'EMFILE',
          neverSent: true,
        });
        expect(cause).toBe(error);
      }
    },
  );

  it.each(['ENOTFOUND', 'EAI_AGAIN'])(
    'with %s says so too where nothing can be opened: the resolver cannot either',
    (code) => {
      expect(networkFailure(errno(code), false, () => true)).toMatchObject({
        class: 'local_refusal',
        reason: 'OVERLOADED',
      });
      expect(networkFailure(errno(code), false, () => false)).toMatchObject({ class: 'connect' });
    },
  );

  it('without a code is a fault of ours', () => {
    expect(networkFailure(new TypeError('x is not a function')).class).toBe('internal');
    expect(networkFailure('text').class).toBe('internal');
  });

  it('never sent what could not connect', () => {
    expect(networkFailure(errno('ECONNREFUSED')).neverSent).toBe(true);
    expect(networkFailure(errno('CERT_HAS_EXPIRED')).neverSent).toBe(true);
    expect(networkFailure(errno('ETIMEDOUT', { syscall: 'connect' }))).toMatchObject({
      class: 'connect',
      neverSent: true,
    });
    expect(networkFailure(errno('ECONNRESET')).neverSent).toBeUndefined();
  });

  it('finds the code of several addresses that all refused', () => {
    const gathered = new AggregateError([errno('EHOSTUNREACH', { syscall: 'connect' }), errno('ECONNREFUSED')]);
    expect(networkFailure(gathered)).toMatchObject({ class: 'connect', providerCode: 'EHOSTUNREACH', neverSent: true });
    const inside = new TypeError('fetch failed', { cause: gathered });
    expect(networkFailure(inside)).toMatchObject({ class: 'connect', providerCode: 'EHOSTUNREACH' });
  });

  it.each([
    ['unsent', false, 'connect', true],
    ['sent', false, 'reset', undefined],
    ['sent', true, 'stale_socket', undefined],
    ['answered', true, 'reset', undefined],
  ] as const)('in phase %s on a connection reused=%s is of class %s', (phase, reused, expected, neverSent) => {
    const failure = networkFailure(new ConnectionError(errno('ECONNRESET'), phase, reused));
    expect(failure.class).toBe(expected);
    expect(failure.neverSent).toBe(neverSent);
    expect(failure.providerCode).toBe('ECONNRESET');
  });

  it('reads from undici that a socket had served before', () => {
    const used = errno('UND_ERR_SOCKET', { socket: { bytesRead: 300 } });
    const fresh = errno('UND_ERR_SOCKET', { socket: { bytesRead: 0 } });
    expect(networkFailure(used).class).toBe('stale_socket');
    expect(networkFailure(used, true).class).toBe('reset');
    expect(networkFailure(fresh).class).toBe('reset');
  });

  it('keeps a failure that was already one', () => {
    const failure = { class: 'protocol', reason: 'PROVIDER_PROTOCOL_ERROR', message: 'Text.' } as const;
    expect(networkFailure(new FailureError(failure))).toBe(failure);
  });

  it('makes a code of harmless characters', () => {
    expect(networkFailure(errno(`E ${secret}${'X'.repeat(100)}`)).providerCode).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
  });
});
