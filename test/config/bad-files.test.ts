import { describe, expect, test } from 'vitest';

import { PROVIDERS } from '../../src/core/provider.ts';
import { configErrorOf, loadText } from './loading.ts';

const NAME_RULE = 'must be 1 to 100 letters, digits, or characters of ._~-';
const DURATION_RULE = 'must be a duration from 1ms to 24h, such as 250ms, 60s, 5m or 1h';
const SECONDS_RULE = 'must be a duration from 1s to 24h, such as 1500ms, 60s or 2m';
const ADDRESS_RULE = 'must be host:port, such as 127.0.0.1:50051, localhost:50051 or [::1]:50051';
const PRICE_RULE = 'must be a decimal number in quotes with at most 9 places, such as "2.50"';
const MODEL_RULE = 'must be the name of a model: 1 to 256 characters without spaces';
const HOST_RULE = 'must be a host name or an IP address, without port, such as gateway.internal';
const ORIGIN_RULE = 'must be * or an origin such as https://app.example.com';
const URL_RULE = 'must be a URL that begins with http:// or https://';
const HIDDEN = '(the value may hold a secret and is not shown)';
const LONG = 'x'.repeat(101);

const target = (fields: string) => `targets: [{ name: a, provider: mock, ${fields} }]`;
const openai = (fields: string) => `targets: [{ name: a, provider: openai, ${fields} }]`;
const routes = (fields: string) =>
  `targets: [{ name: a, provider: mock }, { name: b, provider: mock }]\nroutes: [${fields}]`;

describe.each<[string, readonly (readonly [file: string, ...lines: string[]])[]]>([
  [
    'of the wrong shape',
    [
      ['just text', '(the whole file): must be a mapping, not "just text"'],
      ['[]', '(the whole file): must be a mapping, not a list'],
      ['targets: {}', 'targets: must be a list, not a mapping'],
      ['targets: []', 'targets: must not be empty; leave it out to have providers found in the environment'],
      ['targets:', 'targets: must be a list, not null'],
      ['targets: [a]', 'targets[0]: must be a mapping, not "a"'],
      ['server: 1', 'server: must be a mapping, not 1'],
      ['routes: [{ name: r, targets: a }]', 'routes[0].targets: must be a list, not "a"'],
    ],
  ],
  [
    'with unknown fields',
    [
      ['tragets: []', 'tragets: unknown field'],
      [target('apiKey: k'), 'targets[0].apiKey: unknown field'],
      [target('timeouts: { total: 5s }'), 'targets[0].timeouts.total: unknown field'],
      ['__proto__: { x: 1 }', '__proto__: unknown field'],
      ['<<: { x: 1 }', 'x: unknown field'],
      [target('api_key:sk-hidden'), 'targets[0].(a name that is not shown): unknown field'],
      ['a: 1\nb: 2', 'a: unknown field', 'b: unknown field'],
    ],
  ],
  [
    'with bad limits of admission',
    [
      ['admission: { max_active: 0 }', 'admission.max_active: must be a whole number from 1 to 100000, not 0'],
      ['admission: { max_queued: -1 }', 'admission.max_queued: must be a whole number from 0 to 100000, not -1'],
      ['admission: { max_wait: 0s }', `admission.max_wait: ${DURATION_RULE}, not "0s"`],
      ['admission: { max_share: 101 }', 'admission.max_share: must be a whole number from 1 to 100, not 101'],
      ['admission: { max_share: 0.5 }', 'admission.max_share: must be a whole number from 1 to 100, not 0.5'],
    ],
  ],
  [
    'with bad targets',
    [
      ['targets: [{}]', 'targets[0].name: is required', 'targets[0].provider: is required'],
      ['targets: [{ name: a/b, provider: mock }]', `targets[0].name: ${NAME_RULE}, not "a/b"`],
      ['targets: [{ name: "", provider: mock }]', `targets[0].name: ${NAME_RULE}, not an empty text`],
      ['targets: [{ name: 7, provider: mock }]', `targets[0].name: ${NAME_RULE}, not 7`],
      [`targets: [{ name: ${LONG}, provider: mock }]`, `targets[0].name: ${NAME_RULE}, not "${LONG.slice(0, 80)}…"`],
      [
        'targets: [{ name: a, provider: openrouter }]',
        `targets[0].provider: must be ${PROVIDERS.slice(0, -1).join(', ')} or mock, not "openrouter"`,
      ],
      [
        'targets: [{ name: a, provider: mock }, { name: b, provider: mock, mock: "yes" }]',
        'targets[1].mock: must be true or false, not "yes"',
      ],
      [target('mock: false'), 'targets[0].mock: must be true for the provider mock, not false'],
      [target('base_url: "http://x"'), 'targets[0].base_url: must be left out for mock'],
      [target('api: responses'), 'targets[0].api: must be left out for mock, not "responses"'],
      [openai('api_key: k, api: rest'), 'targets[0].api: must be responses or chat_completions, not "rest"'],
      [target('model: "a b"'), `targets[0].model: ${MODEL_RULE}, not "a b"`],
      [target('models: [""]'), `targets[0].models[0]: ${MODEL_RULE}, not an empty text`],
      [target('limit_group: "*"'), `targets[0].limit_group: ${NAME_RULE}, not "*"`],
    ],
  ],
  [
    'with bad credentials and URLs',
    [
      [openai(''), 'targets[0].api_key: is required for openai on its own host; set it, or set mock: true'],
      [
        'targets: [{ name: a, provider: deepseek }, { name: b, provider: anthropic }]',
        'targets[0].api_key: is required for deepseek on its own host; set it, or set mock: true',
        'targets[1].api_key: is required for anthropic on its own host; set it, or set mock: true',
      ],
      [
        'targets: [{ name: a, provider: azure-openai }]',
        'targets[0].base_url: is required for azure-openai: https://NAME.openai.azure.com/openai/v1',
        'targets[0].api_key: is required for azure-openai; set it, or set mock: true, or in the environment AZURE_CLIENT_ID, AZURE_TENANT_ID, and AZURE_FEDERATED_TOKEN_FILE or AZURE_CLIENT_SECRET',
        'targets[0].model: is required for azure-openai: the name of the deployment',
      ],
      [openai('api_key: 12345'), 'targets[0].api_key: must be a text of printable ASCII characters without spaces'],
      [
        openai('api_key: [sk-hidden]'),
        'targets[0].api_key: must be a text of printable ASCII characters without spaces',
      ],
      [openai('api_key: ""'), 'targets[0].api_key: must be a text of printable ASCII characters without spaces'],
      [
        openai('api_key: "sk hidden"'),
        'targets[0].api_key: must be a text of printable ASCII characters without spaces',
      ],
      [openai('base_url: example.com'), `targets[0].base_url: ${URL_RULE}, not "example.com"`],
      [openai('base_url: "https:example.com"'), `targets[0].base_url: ${URL_RULE}, not "https:example.com"`],
      [openai('base_url: "http://"'), `targets[0].base_url: ${URL_RULE}, not "http://"`],
      [
        openai('base_url: "https://u:hidden@example.com"'),
        `targets[0].base_url: must not hold a user name or password; use api_key ${HIDDEN}`,
      ],
      [
        openai('base_url: "https://example.com/v1?key=hidden"'),
        'targets[0].base_url: must not hold a query or fragment, not "https://example.com/…"',
      ],
      ['targets:\n  - name: a\n      api_key:sk-hidden\n    provider: mock', `targets[0].name: ${NAME_RULE} ${HIDDEN}`],
    ],
  ],
  [
    'with bad prices and timeouts',
    [
      [target('prices: [{ model: m, input: "1" }]'), 'targets[0].prices[0].output: is required'],
      [target('prices: [{ model: m, input: 2.5, output: "1" }]'), `targets[0].prices[0].input: ${PRICE_RULE}, not 2.5`],
      [
        target('prices: [{ model: m, input: "-1", output: "1e3" }]'),
        `targets[0].prices[0].input: ${PRICE_RULE}, not "-1"`,
        `targets[0].prices[0].output: ${PRICE_RULE}, not "1e3"`,
      ],
      [
        target('prices: [{ model: m, input: "1", output: "1" }, { model: m, input: "2", output: "2" }]'),
        'targets[0].prices[1].model: this model is priced twice',
      ],
      [target('timeouts: { connect: 5 }'), `targets[0].timeouts.connect: ${DURATION_RULE}, not 5`],
      [target('timeouts: { progress: 0s }'), `targets[0].timeouts.progress: ${DURATION_RULE}, not "0s"`],
      [target('timeouts: { first_output: 25h }'), `targets[0].timeouts.first_output: ${DURATION_RULE}, not "25h"`],
    ],
  ],
  [
    'with bad names and routes',
    [
      [
        'targets: [{ name: a, provider: mock }, { name: b, provider: mock }, { name: a, provider: ollama }]',
        'targets[2].name: the name is taken by targets[0]',
      ],
      [routes('{ name: b, targets: [a] }'), 'routes[0].name: the name is taken by targets[1]'],
      [
        routes('{ name: r, targets: [a] }, { name: r, targets: [b] }'),
        'routes[1].name: the name is taken by routes[0]',
      ],
      [
        'targets: [{ name: default, provider: mock }]',
        'targets[0].name: must not be "default": the route of all targets has that name',
      ],
      [routes('{ name: r, targets: [] }'), 'routes[0].targets: must not be empty'],
      [
        routes('{ name: r, targets: [a, c] }'),
        'routes[0].targets[1]: must begin with the name of a target (there are a, b), not "c"',
      ],
      [
        routes('{ name: r, targets: [c/m, /m] }'),
        'routes[0].targets[0]: must begin with the name of a target (there are a, b), not "c/m"',
        'routes[0].targets[1]: must begin with the name of a target (there are a, b), not "/m"',
      ],
      [routes('{ name: r, targets: [a/] }'), 'routes[0].targets[0]: must name a model after the slash, not "a/"'],
      [
        routes('{ name: r, targets: ["a/two words", "b/m\\n"] }'),
        'routes[0].targets[0]: must name a model after the slash, not "a/two words"',
        'routes[0].targets[1]: must name a model after the slash, not "b/m\\n"',
      ],
      [routes('{ name: r, targets: [a/m, b, a/m] }'), 'routes[0].targets[2]: this entry occurs twice'],
      [
        'routes: [{ name: r, targets: [openai] }]',
        'routes[0].targets[0]: must begin with the name of a target (there are none), not "openai"',
      ],
      [routes('{ name: r, targets: [7] }'), 'routes[0].targets[0]: must be target or target/model, not 7'],
    ],
  ],
  [
    'with bad numbers and words',
    [
      ['circuit_breaker: { failures: 0 }', 'circuit_breaker.failures: must be a whole number from 1 to 1000, not 0'],
      [
        'circuit_breaker: { failures: 2.5 }',
        'circuit_breaker.failures: must be a whole number from 1 to 1000, not 2.5',
      ],
      [
        'circuit_breaker: { failures: .nan }',
        'circuit_breaker.failures: must be a whole number from 1 to 1000, not NaN',
      ],
      ['circuit_breaker: { window: 60 }', `circuit_breaker.window: ${DURATION_RULE}, not 60`],
      ['circuit_breaker: { probes: 0 }', 'circuit_breaker.probes: must be a whole number from 1 to 10, not 0'],
      ['circuit_breaker: { probes: 11 }', 'circuit_breaker.probes: must be a whole number from 1 to 10, not 11'],
      ['circuit_breaker: { guard: false }', 'circuit_breaker.guard: must be on or off, not false'],
      [
        'retry: { order: next_first }',
        'retry.order: must be SAME_THEN_NEXT, NEXT_FIRST or EXHAUST_FIRST, not "next_first"',
      ],
      ['retry: { max_repeats: -1 }', 'retry.max_repeats: must be a whole number from 0 to 100, not -1'],
      ['retry: { backoff: [] }', 'retry.backoff: must not be empty'],
      [`retry: { backoff: [${Array(21).fill('1s').join(', ')}] }`, 'retry.backoff: must have at most 20 entries'],
      ['retry: { backoff: [1s, 2] }', `retry.backoff[1]: ${DURATION_RULE}, not 2`],
      ['retry: { jitter: HALF }', 'retry.jitter: must be FULL or NONE, not "HALF"'],
      ['server: { grpc_address: 50051 }', `server.grpc_address: ${ADDRESS_RULE}, not 50051`],
      ['server: { http_address: ":8080" }', `server.http_address: ${ADDRESS_RULE}, not ":8080"`],
      [
        'server: { limits: { max_message_bytes: 1, max_bytes_in_flight: 1, transfer_timeout: 0 } }',
        'server.limits.max_message_bytes: must be a whole number from 65536 to 67108864, not 1',
        'server.limits.max_bytes_in_flight: must be auto, or a whole number from 262144, not 1',
        `server.limits.transfer_timeout: ${SECONDS_RULE}, not 0`,
      ],
      [
        'server: { limits: { transfer_timeout: 999ms } }',
        `server.limits.transfer_timeout: ${SECONDS_RULE}, not "999ms"`,
      ],
      ['server: { limits: { transfer_timeout: 25h } }', `server.limits.transfer_timeout: ${SECONDS_RULE}, not "25h"`],
      [
        'server: { limits: { max_bytes_in_flight: 80000000 } }',
        'server.limits.max_bytes_in_flight: must be at least 83886080, four times max_message_bytes, not 80000000',
      ],
      ['server: { reflection: "on" }', 'server.reflection: must be true or false, not "on"'],
      ['server: { http: { idle_timeout: 620 } }', `server.http.idle_timeout: ${DURATION_RULE}, not 620`],
      ['server: { http: { allowed_hosts: ["a:80"] } }', `server.http.allowed_hosts[0]: ${HOST_RULE}, not "a:80"`],
      ['server: { cors_origins: [app.example.com] }', `server.cors_origins[0]: ${ORIGIN_RULE}, not "app.example.com"`],
      [
        'server: { cors_origins: ["https://app.example.com/"] }',
        `server.cors_origins[0]: ${ORIGIN_RULE}, not "https://app.example.com/…"`,
      ],
    ],
  ],
])('files %s', (_, cases) => {
  test.each(cases)('%j', (file, ...lines) => {
    const message = configErrorOf(() => loadText(file));
    expect(message?.split('\n')).toEqual(lines);
    expect(message).not.toContain('hidden');
  });
});

test('every problem is found at once, whatever part of the file it is in', () => {
  const file = `
targets:
  - { name: a, provider: openai }
  - { name: a, provider: mock, mock: maybe }
  - { name: c, provider: anthropic, api_key: "\${UNSET}" }
routes:
  - { name: r, targets: [a, nobody] }
  - { name: r }
retry: { jitter: HALF }
server: { http_address: 10.0.0.1:80 }
`;
  const message = configErrorOf(() => loadText(file, { UNDERSTUDY_ADMIN_ADDRESS: 'x' }));
  expect(
    message
      ?.split('\n')
      .map((line) => line.slice(0, line.indexOf(':')))
      .sort(),
  ).toEqual([
    'UNDERSTUDY_ADMIN_ADDRESS',
    'retry.jitter',
    'routes[0].targets[1]',
    'routes[1].name',
    'routes[1].targets',
    'server.http_address',
    'targets[0].api_key',
    'targets[1].mock',
    'targets[1].name',
    'targets[2].api_key',
  ]);
});

test('a broken section hides no permission that it gives, and invents no problem elsewhere', () => {
  const file = 'server: { allow_unauthenticated: true, reflection: 1 }';
  expect(configErrorOf(() => loadText(file, { UNDERSTUDY_GRPC_ADDRESS: '0.0.0.0:1' }))).toBe(
    'server.reflection: must be true or false, not 1',
  );
});
