import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Transport } from '../../../src/core/transport.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { type ChaosUpstream, respond, startChaosUpstream } from '../../support/chaos-upstream.ts';
import { record } from '../head/http-recorder.ts';

describe('a transport that is used no more', () => {
  let upstream: ChaosUpstream;
  let transport: Transport;
  const answer = respond(200, 'application/json', '{"whole":true}');
  const ask = () => record(transport, upstream.origin, '{}').outcome;

  beforeEach(async () => {
    upstream = await startChaosUpstream();
    transport = createUndiciTransport(system, { keepAliveMs: 600_000 });
  });

  afterEach(async () => {
    await transport.close();
    await upstream.close();
  });

  it('closes connections that are idle at once', async () => {
    upstream.script(answer);
    await ask();
    await transport.retire();
    await upstream.allClosed();
    expect(upstream.connectionCount).toBe(1);
  });

  it('closes those in use behind their answers', async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    upstream.script({ do: 'hold', until: goOn }, answer);
    const asked = ask();
    await upstream.request(0);
    const retired = transport.retire();
    expect((await upstream.connection(0)).isOpen()).toBe(true);
    resolve();
    expect((await asked).body).toBe('{"whole":true}');
    await retired;
    await upstream.allClosed();
  });

  it('still sends what comes late, by connections that are closed behind it', async () => {
    await transport.retire();
    upstream.script(answer);
    upstream.script(answer);
    expect((await ask()).body).toBe('{"whole":true}');
    expect((await ask()).body).toBe('{"whole":true}');
    await upstream.allClosed();
    expect(upstream.connectionCount).toBe(2);
  });

  it('destroys what is under way where it is closed meanwhile', async () => {
    upstream.script({ do: 'await_close' });
    upstream.script({ do: 'await_close' });
    const first = ask();
    await upstream.request(0);
    const retired = transport.retire();
    const late = ask();
    await upstream.request(1);
    await transport.close();
    await retired;
    await upstream.allClosed();
    expect([(await first).error, (await late).error].filter((error) => error !== undefined)).toHaveLength(2);
  });
});
