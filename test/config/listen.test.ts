import { describe, expect, test } from 'vitest';

import { configErrorOf, loadEnvironment, loadText } from './loading.ts';

describe('addresses', () => {
  test('in the environment win over the file', () => {
    const { server } = loadText('server: { grpc_address: "localhost:1", http_address: "localhost:2" }', {
      UNDERSTUDY_GRPC_ADDRESS: '[::1]:5',
      UNDERSTUDY_ADMIN_ADDRESS: '127.0.0.1:0',
    });
    expect([server.grpcAddress, server.httpAddress, server.adminAddress]).toEqual([
      '[::1]:5',
      'localhost:2',
      '127.0.0.1:0',
    ]);
  });

  test.each([
    ['UNDERSTUDY_GRPC_ADDRESS', ', name callers in the configuration'],
    ['UNDERSTUDY_HTTP_ADDRESS', ', name callers in the configuration'],
    ['UNDERSTUDY_ADMIN_ADDRESS', ''],
  ])('that others can reach are refused in %s, unless they are allowed', (name, instead) => {
    expect(configErrorOf(() => loadEnvironment({ [name]: '0.0.0.0:7000' }))).toBe(
      `${name}: other machines can reach 0.0.0.0:7000 and callers are not authenticated; use a loopback address such as ` +
        `127.0.0.1:7000${instead}, or, if something else guards it, set server.allow_unauthenticated: true or ` +
        'UNDERSTUDY_ALLOW_UNAUTHENTICATED=1',
    );
    expect(loadEnvironment({ [name]: '0.0.0.0:7000', UNDERSTUDY_ALLOW_UNAUTHENTICATED: '1' }).server).toMatchObject({
      allowUnauthenticated: true,
    });
    expect(
      configErrorOf(() => loadText('server: { allow_unauthenticated: true }', { [name]: '[::]:7000' })),
    ).toBeUndefined();
  });

  test('that others can reach are refused where the environment takes the permission back', () => {
    const text = 'server: { allow_unauthenticated: true, http_address: "10.1.2.3:80" }';
    expect(configErrorOf(() => loadText(text))).toBeUndefined();
    expect(configErrorOf(() => loadText(text, { UNDERSTUDY_ALLOW_UNAUTHENTICATED: '0' }))).toMatch(
      /^server\.http_address: other machines can reach 10\.1\.2\.3:80 /,
    );
  });

  test('of two doors must differ, unless the system chooses the ports', () => {
    expect(configErrorOf(() => loadEnvironment({ UNDERSTUDY_ADMIN_ADDRESS: '127.0.0.1:8080' }))).toBe(
      'UNDERSTUDY_ADMIN_ADDRESS: 127.0.0.1:8080 is taken by server.http_address',
    );
    const zero = '127.0.0.1:0';
    expect(
      configErrorOf(() => loadEnvironment({ UNDERSTUDY_HTTP_ADDRESS: zero, UNDERSTUDY_GRPC_ADDRESS: zero })),
    ).toBeUndefined();
  });
});

test.each([
  ['drain: { pause: 25s }', 'server.drain.pause: must be shorter than server.drain.grace, which includes it'],
  ['drain: { grace: 0s }', 'server.drain.grace: must be a duration from 1ms to 24h'],
  ['drain: { pause: 0ms }', 'server.drain.pause: must be 0s or a duration of at most 24h'],
  ['drain: { pause: 25h }', 'server.drain.pause: must be 0s or a duration of at most 24h'],
  ['connections: { keepalive: { interval: 0s } }', 'server.connections.keepalive.interval: must be a duration'],
])('the end of calls and connections must be possible: %s', (text, problem) => {
  expect(configErrorOf(() => loadText(`server: { ${text} }`))).toContain(problem);
});
