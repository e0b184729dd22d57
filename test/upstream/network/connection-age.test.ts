import { setImmediate } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import type { Transport } from '../../../src/core/transport.ts';
import { system } from '../../../src/system.ts';
import { createUndiciTransport } from '../../../src/upstream/network/undici-transport.ts';
import { respond, startChaosUpstream } from '../../support/chaos-upstream.ts';
import type { ChaosStep, ChaosUpstream } from '../../support/chaos-upstream.ts';
import { record } from '../head/http-recorder.ts';

const MINUTE = 60_000;

describe('a connection that has come of age', () => {
  let upstream: ChaosUpstream;
  let transport: Transport;
  let nowMs = 0;
  let chance = 0.5;

  beforeEach(async () => {
    nowMs = 0;
    chance = 0.5;
    upstream = await startChaosUpstream();
    transport = createUndiciTransport({ ...system, now: () => nowMs, random: () => chance }, { keepAliveMs: 60_000 });
  });

  afterEach(async () => {
    await transport.close();
    await upstream.close();
  });

  /** Makes a call, whatever its connection has served before; returns what it said of its connection, and on which it came. */
  async function call(atMs: number, ...before: readonly ChaosStep[]): Promise<string> {
    nowMs = atMs;
    const index = upstream.requestCount;
    upstream.script(...before, respond(200, 'application/json', '{"whole":true}'));
    const sent = record(transport, upstream.origin, '{}');
    const { headers, connection } = await upstream.request(index);
    expect((await sent.outcome).body).toBe('{"whole":true}');
    await setImmediate();
    return `${connection} ${headers['connection']}`;
  }

  it('serves one call more, says so, and is closed behind its answer: the next one looks the name up again', async () => {
    expect(await call(0)).toBe('0 keep-alive');
    expect(await call(5 * MINUTE - 1)).toBe('0 keep-alive');
    expect(await call(5 * MINUTE)).toBe('0 close');
    await (
      await upstream.connection(0)
    ).closed;
    expect(await call(5 * MINUTE + 1)).toBe('1 keep-alive');
    expect(await call(10 * MINUTE)).toBe('1 keep-alive');
    expect(await call(10 * MINUTE + 1)).toBe('1 close');
  });

  it('does not cut the call under way', async () => {
    const gate = Promise.withResolvers<void>();
    const long = call(0, { do: 'hold', until: gate.promise });
    await upstream.request(0);
    nowMs = 60 * MINUTE;
    gate.resolve();
    expect(await long).toBe('0 keep-alive');
    expect(await call(60 * MINUTE)).toBe('0 close');
  });

  it('has an age of its own, a tenth more or less, so that not all end together', async () => {
    chance = 0;
    expect(await call(0)).toBe('0 keep-alive');
    chance = 0.999;
    expect(await call(4.5 * MINUTE - 1)).toBe('0 keep-alive');
    expect(await call(4.5 * MINUTE)).toBe('0 close');
    await (
      await upstream.connection(0)
    ).closed;
    expect(await call(5 * MINUTE)).toBe('1 keep-alive');
    expect(await call(10.4 * MINUTE)).toBe('1 keep-alive');
    expect(await call(10.6 * MINUTE)).toBe('1 close');
  });

  it('is reckoned from its own beginning, not from that of the one before it', async () => {
    expect(await call(0)).toBe('0 keep-alive');
    upstream.script({ do: 'reset' });
    await record(transport, upstream.origin, '{}').outcome;
    await setImmediate();
    expect(await call(6 * MINUTE)).toBe('1 keep-alive');
  });
});
