import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TlsEvent } from '../../../src/server/port/tls-options.ts';
import { watchCertificates, type ReadCertificates } from '../../../src/server/tls/certificate-watch.ts';
import { type Authority, createAuthority, hasOpenssl } from '../../support/certificates.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('certificates whose files change', () => {
  let authority: Authority;
  beforeAll(() => {
    authority = createAuthority();
  });
  afterAll(() => authority.remove());

  function watching() {
    const runtime = createVirtualRuntime({ nowMs: 0 });
    const issue = (): ReadCertificates => {
      const { cert, key } = authority.issue('localhost');
      return { certPem: cert, keyPem: key, names: 'DNS:localhost', expiresAtMs: 1, expires: 'soon' };
    };
    const first = issue();
    const held: { read: ReadCertificates | string; stamp: string | undefined } = { read: first, stamp: 'a' };
    const events: TlsEvent[] = [];
    let reads = 0;
    const watch = watchCertificates(
      {
        section: 'server.tls',
        read: () => {
          reads += 1;
          return held.read;
        },
        stamp: () => (held.stamp === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(held.stamp)),
      },
      first,
      { setIdleTimer: (ms, fire) => runtime.setTimer(ms, fire), clearTimer: (timer) => runtime.clearTimer(timer) },
      (event) => events.push(event),
    );
    const contexts: unknown[] = [];
    watch.tls.follow(({ cert }) => contexts.push(cert));
    return { runtime, issue, held, events, watch, contexts, first, reads: () => reads };
  }

  const kinds = (events: readonly TlsEvent[]) => events.map(({ kind }) => kind);

  test('are used within a second, and told; what is the same is not', async () => {
    const { runtime, issue, held, events, contexts, first } = watching();
    await runtime.advance(1_000);
    held.stamp = 'b';
    await runtime.advance(1_000);
    expect(contexts).toEqual([first.certPem]);
    const second = issue();
    Object.assign(held, { read: second, stamp: 'c' });
    await runtime.advance(1_000);
    expect(contexts).toEqual([first.certPem, second.certPem]);
    expect(events).toMatchObject([
      { kind: 'loaded', isFirst: true },
      { kind: 'loaded', isFirst: false, names: 'DNS:localhost' },
    ]);
  });

  test('that cannot be used leave the old ones in use, are told once, and are read again when they change', async () => {
    const { runtime, issue, held, events, contexts, reads } = watching();
    Object.assign(held, { read: 'the key is of another', stamp: 'b' });
    await runtime.advance(500);
    expect(kinds(events)).toEqual(['loaded']);
    await runtime.advance(10_000);
    expect(events.slice(1)).toEqual([{ kind: 'kept', section: 'server.tls', problem: 'the key is of another' }]);
    expect(reads()).toBeLessThan(4);
    const whole = issue();
    Object.assign(held, { read: whole, stamp: 'c' });
    await runtime.advance(500);
    expect([contexts.at(-1), kinds(events)]).toEqual([whole.certPem, ['loaded', 'kept', 'loaded']]);
  });

  test('that are gone for a moment are no matter', async () => {
    const { runtime, held, events } = watching();
    Object.assign(held, { read: 'it is not there', stamp: undefined });
    await runtime.advance(500);
    Object.assign(held, { read: watching().first, stamp: 'b' });
    await runtime.advance(500);
    expect(kinds(events)).toEqual(['loaded', 'loaded']);
  });

  test('whose old state comes back behind a fault are told as in use again', async () => {
    const { runtime, held, events, first } = watching();
    Object.assign(held, { read: 'broken', stamp: 'b' });
    await runtime.advance(2_000);
    Object.assign(held, { read: first, stamp: 'c' });
    await runtime.advance(1_000);
    expect(kinds(events)).toEqual(['loaded', 'kept', 'loaded']);
  });

  test('are looked at no more once that is stopped', async () => {
    const { runtime, issue, held, watch, contexts } = watching();
    watch.stop();
    Object.assign(held, { read: issue(), stamp: 'b' });
    await runtime.advance(5_000);
    expect(contexts).toHaveLength(1);
  });
});
