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
  adoptProxies({ HTTPS_PROXY: 'no proxy:', HTTP_PROXY: proxy.origin });
  adoptProxies({ HTTP_PROXY: proxy.origin });
  expect(await (await fetch(`${issuer.origin}/jwks`)).text()).toBe('keys');
  expect(proxy.asked).toHaveLength(1);
  adoptProxies({ HTTP_PROXY: proxy.origin, NO_PROXY: '127.0.0.1' });
  expect(await (await fetch(`${issuer.origin}/jwks`)).text()).toBe('keys');
  expect(proxy.asked).toHaveLength(1);
  const { host } = new URL(proxy.origin);
  for (const [asked, ALL_PROXY] of [`"${host}"`, proxy.origin].entries()) {
    adoptProxies({ ALL_PROXY, http_proxy: '' });
    expect(await (await fetch(`${issuer.origin}/jwks`)).text()).toBe('keys');
    expect(proxy.asked).toHaveLength(asked + 2);
  }
});
