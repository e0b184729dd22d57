import { describe, expect, test } from 'vitest';

import { createConfig, loadConfig } from '../../src/config/load.ts';
import { DEFAULT_ENGINE_CONFIG } from '../../src/engine/port/config.ts';
import { configErrorOf, loadEnvironment, loadText } from './loading.ts';

const ONE_TARGET = 'targets: [{ name: a, provider: mock }]\n';

describe('defaults', () => {
  test.each(['', '# nothing\n', '{}', 'retry: {}\nserver: {}\ncircuit_breaker: {}\n'])(
    'the file %j is valid',
    (text) => {
      expect(loadText(text)).toEqual(loadEnvironment({}));
    },
  );

  test('are those of the engine', () => {
    const { admission, circuitBreaker, retry } = loadText('');
    expect(admission).toEqual(DEFAULT_ENGINE_CONFIG.admission);
    expect(circuitBreaker).toEqual(DEFAULT_ENGINE_CONFIG.circuitBreaker);
    expect(retry).toEqual(DEFAULT_ENGINE_CONFIG.retry);
  });

  test.each([
    [64, 100, 10],
    [256, 256, 26],
    [4_096, 1_000, 100],
  ])('of admission fit a heap of %d MiB: %d requests under way, %d that wait', (mib, maxActive, maxQueued) => {
    const { admission } = loadText('', {}, { heapLimitBytes: mib * 1024 * 1024 });
    expect(admission).toMatchObject({ maxActive, maxQueued });
  });

  test('of admission stand back behind what is set, one by one', () => {
    const heapLimitBytes = 256 * 1024 * 1024;
    const admissionOf = (fields: string) => loadText(`admission: { ${fields} }`, {}, { heapLimitBytes }).admission;
    expect(admissionOf('max_active: 5000')).toMatchObject({ maxActive: 5_000, maxQueued: 500 });
    expect(admissionOf('max_queued: 0')).toMatchObject({ maxActive: 256, maxQueued: 0 });
  });

  test('of the server are loopback addresses', () => {
    expect(loadText('').server).toEqual({
      grpcAddress: '127.0.0.1:50051',
      httpAddress: '127.0.0.1:8080',
      adminAddress: '127.0.0.1:9464',
      reflection: true,
      adminService: false,
      corsOrigins: [],
      idleTimeoutMs: 620_000,
      allowedHosts: [],
      allowUnauthenticated: false,
      isUnauthenticated: false,
      authenticateHealth: false,
      limits: { maxMessageBytes: 20 * 1024 * 1024, maxBytesInFlight: undefined, transferTimeoutMs: 60_000 },
      drain: { pauseMs: 2_000, graceMs: 25_000 },
      connections: {
        maxAgeMs: 1_800_000,
        maxAgeGraceMs: 3_600_000,
        idleTimeoutMs: 620_000,
        keepalive: { intervalMs: 60_000, timeoutMs: 20_000 },
      },
    });
  });
});

describe('a file', () => {
  test('sets every field', () => {
    const config = loadText(
      `
targets:
  - name: azure-eu
    provider: azure-openai
    base_url: https://example.openai.azure.com/openai/v1/
    api_key: \${KEY}
    model: my-deployment
    api: chat_completions
    models: [my-small]
    prices: [{ model: my-priced, input: "2.00", cached_input: "0.20", cache_write: "2.50", output: "10.00" }]
    limit_group: azure
    timeouts: { connect: 5s, first_output: 60s, progress: 2m }
    upstream_mode: JSON
    mock: true
routes:
  - name: cheap
    targets: [azure-eu/my/routed, azure-eu]
circuit_breaker: { failures: 3, window: 10s, cooldown: 250ms, probes: 2, guard: off }
retry: { order: EXHAUST_FIRST, max_repeats: 0, backoff: [10ms, 1h], jitter: NONE }
admission: { max_active: 7, max_queued: 3, max_wait: 2s, max_share: 50 }
log: { level: error, good_calls: 0.5 }
server:
  grpc_address: "[::1]:1"
  http_address: localhost:2
  admin_address: 10.0.0.1:3
  reflection: false
  admin_service: true
  cors_origins: ["*", "https://app.example.com"]
  http:
    idle_timeout: 75s
    allowed_hosts: [gateway.internal, "::1"]
  allow_unauthenticated: true
  authenticate_health: true
  limits: { max_message_bytes: 65536, max_bytes_in_flight: 262144, transfer_timeout: 5s }
  drain: { pause: 0s, grace: 20s }
  connections:
    max_age: 5m
    max_age_grace: 20m
    idle_timeout: 60s
    keepalive: { interval: 10s, timeout: 5s }
`,
      { KEY: 'secret' },
    );
    expect(config).toEqual({
      targets: [
        {
          name: 'azure-eu',
          provider: 'azure-openai',
          baseUrl: 'https://example.openai.azure.com/openai/v1',
          ownHost: true,
          apiKey: 'secret',
          model: 'my-deployment',
          api: 'chat_completions',
          models: ['my-deployment', 'my-small', 'my-priced', 'my/routed'],
          prices: [{ model: 'my-priced', input: '2.00', cachedInput: '0.20', cacheWrite: '2.50', output: '10.00' }],
          limitGroup: 'azure',
          timeouts: { connectMs: 5_000, firstOutputMs: 60_000, progressMs: 120_000 },
          upstreamMode: 'JSON',
          mock: true,
          source: 'understudy.yaml targets[0]',
        },
      ],
      routes: [
        { name: 'default', entries: [{ target: 'azure-eu' }] },
        { name: 'cheap', entries: [{ target: 'azure-eu', model: 'my/routed' }, { target: 'azure-eu' }] },
      ],
      circuitBreaker: { failures: 3, windowMs: 10_000, cooldownMs: 250, probes: 2, guard: false },
      retry: { order: 'EXHAUST_FIRST', maxRepeats: 0, backoffMs: [10, 3_600_000], jitter: 'NONE' },
      admission: { maxActive: 7, maxQueued: 3, maxWaitMs: 2_000, maxShare: 50 },
      log: { level: 'error', goodShare: 0.5 },
      server: {
        grpcAddress: '[::1]:1',
        httpAddress: 'localhost:2',
        adminAddress: '10.0.0.1:3',
        reflection: false,
        adminService: true,
        corsOrigins: ['*', 'https://app.example.com'],
        idleTimeoutMs: 75_000,
        allowedHosts: ['gateway.internal', '::1'],
        allowUnauthenticated: true,
        isUnauthenticated: false,
        authenticateHealth: true,
        limits: { maxMessageBytes: 65_536, maxBytesInFlight: 262_144, transferTimeoutMs: 5_000 },
        drain: { pauseMs: 0, graceMs: 20_000 },
        connections: {
          maxAgeMs: 300_000,
          maxAgeGraceMs: 1_200_000,
          idleTimeoutMs: 60_000,
          keepalive: { intervalMs: 10_000, timeoutMs: 5_000 },
        },
      },
      secretFiles: [],
      warnings: [],
      demo: false,
    });
  });

  test('may be JSON, indented with tabs', () => {
    const text = JSON.stringify({ targets: [{ name: 'a', provider: 'mock' }] }, null, '\t');
    expect(loadText(text)).toEqual(loadText(ONE_TARGET));
  });

  test('with targets replaces detection, its warnings included', () => {
    const config = loadText(
      ONE_TARGET,
      { OPENAI_API_KEY: 'k', AZURE_OPENAI_API_KEY: 'k', OPENAI_ORG_ID: 'org' },
      { demo: true },
    );
    expect(config.targets.map((target) => target.name)).toEqual(['a']);
    expect(config.warnings).toEqual([]);
    expect(config.demo).toBe(false);
  });

  test('without targets leaves detection on, and its routes may name what is found', () => {
    const config = loadText('routes: [{ name: default, targets: [openai/gpt-6-luna] }]', { OPENAI_API_KEY: 'k' });
    expect(config.routes).toEqual([{ name: 'default', entries: [{ target: 'openai', model: 'gpt-6-luna' }] }]);
    expect(config.targets[0]?.models).toEqual(['gpt-6.1-sol', 'gpt-6-luna']);
  });

  test('keeps its own order in the route that it does not name', () => {
    const config = loadText('targets: [{ name: b, provider: mock }, { name: a, provider: mock }]');
    expect(config.routes).toEqual([{ name: 'default', entries: [{ target: 'b' }, { target: 'a' }] }]);
  });

  test('takes models that it does not name from the environment', () => {
    const text =
      'targets: [{ name: a, provider: openai, api_key: k }, { name: z, provider: azure-openai, mock: true }]';
    const config = loadText(text, { OPENAI_MODEL: 'gpt-6-luna', AZURE_OPENAI_DEPLOYMENT: 'd' });
    expect(config.targets.map((target) => target.model)).toEqual(['gpt-6-luna', 'd']);
  });

  test.each([
    'targets: [{ name: a, provider: openai, base_url: "http://vllm:8000/v1", model: m }]',
    'targets: [{ name: a, provider: anthropic, base_url: "https://proxy.example.com" }]',
    'targets: [{ name: a, provider: ollama }]',
    'targets: [{ name: a, provider: mock }]',
    'targets: [{ name: a, provider: openai, mock: true }]',
  ])('needs no key for %s', (text) => {
    expect(loadText(text).targets).toMatchObject([{ name: 'a', apiKey: undefined }]);
  });

  test('needs no key, URL or model that is only for the network under UNDERSTUDY_MOCK', () => {
    const text = 'targets: [{ name: a, provider: azure-openai, model: d }, { name: b, provider: anthropic }]';
    const config = loadText(text, { UNDERSTUDY_MOCK: '1' });
    expect(config.targets.map(({ mock, baseUrl, api }) => [mock, baseUrl, api])).toEqual([
      [true, 'https://mock.invalid/openai/v1', 'responses'],
      [true, 'https://api.anthropic.com', undefined],
    ]);
  });
});

describe('where the file is', () => {
  const files = new Map([
    ['/a.yaml', 'targets: [{ name: a, provider: mock }]'],
    ['/b.yaml', 'targets: [{ name: b, provider: mock }]'],
  ]);
  const readFile = (path: string) => {
    const text = files.get(path);
    if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return text;
  };

  test('UNDERSTUDY_CONFIG says, and --config wins over it', () => {
    const env = { UNDERSTUDY_CONFIG: '/a.yaml' };
    expect(loadConfig({ env, readFile }).targets[0]?.source).toBe('a.yaml targets[0]');
    expect(loadConfig({ env, readFile, configPath: '/b.yaml' }).targets[0]?.source).toBe('b.yaml targets[0]');
  });

  test('a file that cannot be read is an error that names who asked for it', () => {
    expect(configErrorOf(() => loadConfig({ env: { UNDERSTUDY_CONFIG: '/c.yaml' }, readFile }))).toBe(
      'UNDERSTUDY_CONFIG: cannot read "/c.yaml" (ENOENT)',
    );
    expect(configErrorOf(() => loadConfig({ env: {}, readFile, configPath: '/c.yaml' }))).toBe(
      '--config: cannot read "/c.yaml" (ENOENT)',
    );
  });
});

describe('a config made by a program', () => {
  test('has the shape of the file and the same result', () => {
    const config = createConfig({ config: { targets: [{ name: 'a', provider: 'mock' }], retry: { backoff: ['1s'] } } });
    const { targets, ...rest } = loadText(`${ONE_TARGET}retry: { backoff: [1s] }`);
    expect(config).toEqual({ ...rest, targets: [{ ...targets[0], source: 'config targets[0]' }] });
  });

  test('finds providers under names like those of the environment, and nothing else', () => {
    expect(createConfig({ env: { OPENAI_API_KEY: 'k' } }).targets.map((target) => target.name)).toEqual(['openai']);
    expect(createConfig({}).targets).toEqual([]);
  });

  test('passes the same checks', () => {
    const bad = () => createConfig({ config: { targets: [{ name: 'a b', provider: 'openai', api_key: '${K}' }] } });
    expect(configErrorOf(bad)).toBe(
      'targets[0].api_key: the environment variable K is not set\n' +
        'targets[0].name: must be 1 to 100 letters, digits, or characters of ._~-, not "a b"',
    );
  });

  test('warns of files that it names, as a file does', () => {
    const jwt = { issuer: 'i', audience: 'a', jwks: '/not/there/keys.json' };
    const { warnings } = createConfig({ config: { callers: [{ name: 'billing', jwt }] } });
    expect(warnings).toContainEqual(
      expect.stringMatching(/^callers\[0\]\.jwt\.jwks: .*without keys no token is taken$/),
    );
  });

  test('that holds itself is refused, not walked for ever', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(configErrorOf(() => createConfig({ config: circular }))).toBe('self: unknown field');
  });
});
