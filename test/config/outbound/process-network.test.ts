import { createServer } from 'node:http';

import { expect, onTestFinished, test } from 'vitest';

import { adoptProxies } from '../../../src/config/outbound/process-network.ts';
import { startForwardProxy } from '../../support/forward-proxy.ts';
import { listenOnLoopback } from '../../support/listening.ts';

test("what is fetched with Node's own means, such as the keys of issuers, goes through the proxy of the environment", async () => {
  const issuer = await listenOnLoopback(createServer((_incoming, outgoing) => outgoing.end('keys')));
  const proxy = await startForwardProxy();
  onTestFinished(async () => {
    await proxy.close();
    await issuer.close();
  });
  const url = `${issuer.origin}/jwks`;
  const asked = async (env: Readonly<Record<string, string>>): Promise<number> => {
    const before = proxy.asked.length;
    const restore = adoptProxies(env, [url]);
    expect(await (await fetch(url)).text()).toBe('keys');
    restore();
    return proxy.asked.length - before;
  };
  adoptProxies({ HTTPS_PROXY: 'no proxy:' }, [url])();
  expect(await asked({ HTTP_PROXY: proxy.origin })).toBe(1);
  expect(await asked({ HTTP_PROXY: proxy.origin, NO_PROXY: '127.0.0.1' })).toBe(0);
  // As for targets, and not as Node has it.
  expect(await asked({ ALL_PROXY: proxy.origin })).toBe(1);
  expect(await asked({ HTTP_PROXY: `"${proxy.origin}" ` })).toBe(1);
  expect(await asked({ HTTP_PROXY: new URL(proxy.origin).host })).toBe(1);
  expect(await asked({ HTTP_PROXY: proxy.origin, NO_PROXY: '10.0.0.0/8, 127.0.0.0/8' })).toBe(0);
  expect(await asked({ HTTP_PROXY: proxy.origin, NO_PROXY: '127.0.0.1:1' })).toBe(1);
});
