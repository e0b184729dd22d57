import { afterEach, describe, expect, it } from 'vitest';
import { Code, createLlmClient, decodeError, type LlmClientOptions, ServingStatus } from '../src/index.ts';
import { type Gateway, startGateway, type WatchCall } from './support/gateway.ts';
import { freePort } from './support/relay.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0).toReversed()) close();
});

async function serve(text: string, port?: number): Promise<Gateway> {
  const gateway = await startGateway({ generate: () => ({ text }) }, undefined, port);
  closers.push(gateway.close);
  return gateway;
}

function asker(addresses: readonly string[], options?: LlmClientOptions) {
  const client = createLlmClient(addresses, options);
  closers.push(client.close);
  return async (): Promise<string> => (await client.generate({ prompt: 'x' })).text;
}

/** Asks until an answer comes. */
async function until(ask: () => Promise<string>, wished: string): Promise<void> {
  const deadlineAtMs = performance.now() + 60_000;
  while ((await ask()) !== wished) {
    if (performance.now() > deadlineAtMs) throw new Error(`no answer is "${wished}"`);
  }
}

describe('several gateways', () => {
  it('take turns', async () => {
    const ask = asker([(await serve('a')).address, (await serve('b')).address]);
    await until(ask, 'a');
    await until(ask, 'b');
    const answers = [await ask(), await ask(), await ask(), await ask()];
    expect(answers.toSorted()).toEqual(['a', 'a', 'b', 'b']);
    expect(answers[0]).toBe(answers[2]);
  });

  it('are left out where they cannot be reached, without a failed call', async () => {
    const closed = `127.0.0.1:${await freePort()}`;
    const ask = asker([closed, (await serve('b')).address], { maxRetries: 0 });
    for (let turn = 0; turn < 10; turn += 1) expect(await ask()).toBe('b');
  });

  it('are taken back when they are there again', async () => {
    const port = await freePort();
    const ask = asker([`127.0.0.1:${port}`, (await serve('b')).address], { maxRetries: 0 });
    expect(await ask()).toBe('b');
    await serve('a', port);
    await until(ask, 'a');
  });

  it('may go away between calls', async () => {
    const first = await serve('a');
    const ask = asker([first.address, (await serve('b')).address]);
    await until(ask, 'a');
    await until(ask, 'b');
    first.close();
    // The client may hear of the loss by this very call.
    await Promise.allSettled([ask(), ask()]);
    const answers = new Set<string>();
    for (let turn = 0; turn < 10; turn += 1) answers.add(await ask());
    expect(answers).toEqual(new Set(['b']));
  });

  it('that are all away fail the call with what each said', async () => {
    const addresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const error: unknown = await asker(addresses, { maxRetries: 0 })().catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, mayRetry: true });
    for (const address of addresses) expect(String(error)).toContain(address);
  });

  it('are left out while they say that they do not serve', async () => {
    const watched = Promise.withResolvers<WatchCall>();
    const away = await startGateway({ generate: () => ({ text: 'a' }), watch: (call) => watched.resolve(call) });
    closers.push(away.close);
    const ask = asker([away.address, (await serve('b')).address]);
    const first = ask();
    const call = await watched.promise;
    call.write({ status: ServingStatus.NOT_SERVING });
    expect(await first).toBe('b');
    for (let turn = 0; turn < 5; turn += 1) expect(await ask()).toBe('b');
    call.write({ status: ServingStatus.SERVING });
    await until(ask, 'a');
    call.write({ status: ServingStatus.NOT_SERVING });
    await until(ask, 'b');
    const answers = [await ask(), await ask(), await ask()];
    expect(answers).toEqual(['b', 'b', 'b']);
  });

  it('that all say so are asked nevertheless', async () => {
    const watch = (call: WatchCall) => void call.write({ status: ServingStatus.NOT_SERVING });
    const gateways = [
      await startGateway({ generate: () => ({ text: 'ok' }), watch }),
      await startGateway({ generate: () => ({ text: 'ok' }), watch }),
    ];
    closers.push(...gateways.map(({ close }) => close));
    const ask = asker(gateways.map(({ address }) => address));
    expect(await ask()).toBe('ok');
  });
});

describe('a name', () => {
  it('is looked up for all the addresses that it has', async () => {
    const { port } = await serve('ok');
    const ask = asker([`dns:///localhost:${port}`], { maxRetries: 0 });
    for (let turn = 0; turn < 3; turn += 1) expect(await ask()).toBe('ok');
  });

  it('that does not exist fails the call', async () => {
    const ask = asker(['dns:///gateway.invalid:50051'], { maxRetries: 0 });
    const error: unknown = await ask().catch((caught: unknown) => caught);
    expect(decodeError(error)).toMatchObject({ code: Code.Unavailable, mayRetry: true });
  });
});
