import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parse, parseAllDocuments, stringify } from 'yaml';

import { runProgram } from '../../scripts/tool-cache.ts';
import { valueAt } from '../../src/config/port/problem.ts';
import { PROGRAM_COMMAND } from '../support/understudy-process.ts';
import type { DeployTools } from './deploy-tools.ts';

/** A check of deployment files: rejects where something is not as it should be. */
export type DeployCheck = (tools: DeployTools) => Promise<void>;

const CHART = fileURLToPath(new URL('../../deploy/helm/understudy', import.meta.url));
const SHA = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';

/** Values that people install with. */
const OPEN = { allowUnauthenticated: true };
const WHOLE = {
  image: { repository: 'registry.example.com/understudy', digest: `sha256:${SHA}` },
  secrets: { env: ['providers'], files: ['keys'] },
  config: {
    targets: [{ name: 'openai', provider: 'openai', api_key: '${OPENAI_API_KEY}' }],
    callers: [{ name: 'billing', api_keys: [{ sha256: SHA }], budget: { usd: '1.00', per: 'day' } }],
    ledger: { postgres: '${DATABASE_URL}' },
    server: { drain: { pause: '5s', grace: '10m' } },
  },
  tls: { secretName: 'understudy-tls', clientCa: true },
  autoscaling: { enabled: true },
  podMonitor: { enabled: true, labels: { release: 'prometheus' } },
  networkPolicy: { egress: [{ to: [{ podSelector: {} }], ports: [{ port: 5432 }] }] },
  podLabels: { 'azure.workload.identity/use': 'true' },
};

type Resources = ReadonlyMap<string, unknown>;

/** Renders the chart, and has what comes of it read strictly. Resources are by kind, the headless Service as `Service headless`. */
async function render(tools: DeployTools, values: object): Promise<Resources> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-chart-'));
  try {
    const file = join(folder, 'values.yaml');
    writeFileSync(file, stringify(values));
    const rendered = join(folder, 'rendered.yaml');
    const { code, printed } = await run(tools.helm, [
      'template',
      'understudy',
      CHART,
      '--namespace',
      'llm',
      '--values',
      file,
    ]);
    assert.equal(code, 0, printed);
    writeFileSync(rendered, printed);
    await passes(tools.checker, ['manifests', rendered]);
    const known = parseAllDocuments(printed).map((document): unknown => document.toJS());
    const own = known.filter((resource) => !String(valueAt(resource, ['apiVersion'])).includes('coreos'));
    writeFileSync(rendered, own.map((resource) => stringify(resource)).join('---\n'));
    await passes(tools.kubernetesValidate, ['--strict', '-k', '1.37.0', rendered]);
    await passes(tools.kubernetesValidate, ['--strict', '-k', '1.29.0', rendered]);
    return new Map(
      known.map((resource) => {
        const isHeadless = valueAt(resource, ['spec', 'clusterIP']) === 'None';
        return [`${String(valueAt(resource, ['kind']))}${isHeadless ? ' headless' : ''}`, resource];
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function run(tool: string | undefined, args: readonly string[]) {
  assert.ok(tool, `a tool for ${args[0]} cannot be had here`);
  return runProgram(tool, args);
}

async function passes(tool: string | undefined, args: readonly string[]): Promise<void> {
  const { code, printed } = await run(tool, args);
  assert.equal(code, 0, printed);
}

async function refuses(tools: DeployTools, values: object, reason: RegExp): Promise<void> {
  await assert.rejects(render(tools, values), reason);
}

const POD = ['spec', 'template', 'spec'] as const;
const CONTAINER = [...POD, 'containers', 0] as const;

/** What the chart must hold, by what it says. */
export const CHART_CHECKS: Readonly<Record<string, DeployCheck>> = {
  'helm lints the chart': async (tools) => passes(tools.helm, ['lint', '--strict', CHART]),

  'a chart that nobody guards is not installed': async (tools) => {
    await refuses(tools, {}, /Nobody is known/);
    const { config } = WHOLE;
    await refuses(tools, { config, networkPolicy: { enabled: false } }, /Nobody guards the admin listener/);
    await render(tools, { ...OPEN, config, networkPolicy: { enabled: false } });
  },

  'a value that does not exist, or a key in a wrong place, is refused': async (tools) => {
    await refuses(tools, { ...OPEN, replica: 3 }, /replica/);
    await refuses(tools, { ...OPEN, image: { repository: 'a', digest: 'latest' } }, /digest/);
    await refuses(tools, { ...OPEN, config: { server: { drain: { grace: 'soon' } } } }, /no duration/);
  },

  'pods fit the restricted standard, write nowhere and have no token': async (tools) => {
    const deployment = (await render(tools, OPEN)).get('Deployment');
    const at = (...path: readonly (string | number)[]): unknown => valueAt(deployment, [...path]);
    assert.equal(at(...POD, 'automountServiceAccountToken'), false);
    assert.equal(at(...POD, 'securityContext', 'runAsNonRoot'), true);
    assert.deepEqual(at(...POD, 'securityContext', 'seccompProfile'), { type: 'RuntimeDefault' });
    assert.deepEqual(at(...CONTAINER, 'securityContext'), {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    assert.equal(at(...POD, 'enableServiceLinks'), false);
    assert.equal(at(...CONTAINER, 'lifecycle'), undefined);
    assert.deepEqual(at('spec', 'strategy', 'rollingUpdate'), { maxSurge: 1, maxUnavailable: 0 });
  },

  'probes ask over gRPC, and the admin listener where the kubelet cannot': async (tools) => {
    const probes = async (values: object): Promise<unknown[]> => {
      const deployment = (await render(tools, values)).get('Deployment');
      return ['startupProbe', 'readinessProbe', 'livenessProbe'].map(
        (name) =>
          valueAt(deployment, [...CONTAINER, name, 'grpc']) ?? valueAt(deployment, [...CONTAINER, name, 'httpGet']),
      );
    };
    const [live, ready] = ['liveness', 'readiness'].map((service) => ({ port: 50_051, service }));
    assert.deepEqual(await probes(OPEN), [live, ready, live]);
    const byHttp = (more: object) =>
      ['/livez', '/readyz', '/livez'].map((path) => Object.assign({ path, port: 'admin' }, more));
    assert.deepEqual(await probes({ ...OPEN, tls: { secretName: 'a' } }), byHttp({}));
    assert.deepEqual(await probes({ ...OPEN, config: { server: { authenticate_health: true } } }), byHttp({}));
    const own = { cert: 'a.crt', key: 'a.key' };
    assert.deepEqual(
      await probes({ ...OPEN, config: { server: { tls: own, admin_tls: own } } }),
      byHttp({ scheme: 'HTTPS' }),
    );
  },

  'a pod has as long to go down as its calls may take': async (tools) => {
    const grace = async (text: string | undefined): Promise<unknown> => {
      const config = text === undefined ? {} : { server: { drain: { grace: text } } };
      return valueAt((await render(tools, { ...OPEN, config })).get('Deployment'), [
        ...POD,
        'terminationGracePeriodSeconds',
      ]);
    };
    assert.deepEqual(await Promise.all([undefined, '1500ms', '10m', '1h'].map(grace)), [30, 7, 605, 3605]);
  },

  'a whole installation is valid, and its configuration is one that the gateway takes': async (tools) => {
    const all = await render(tools, WHOLE);
    assert.deepEqual([...all.keys()].sort(), [
      'ConfigMap',
      'Deployment',
      'HorizontalPodAutoscaler',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'PodMonitor',
      'Service',
      'Service headless',
      'ServiceAccount',
    ]);
    const deployment = all.get('Deployment');
    assert.equal(valueAt(deployment, [...CONTAINER, 'image']), `registry.example.com/understudy@sha256:${SHA}`);
    assert.equal(valueAt(deployment, ['spec', 'replicas']), undefined, 'the autoscaler and the chart would take turns');
    const hpa = all.get('HorizontalPodAutoscaler');
    assert.equal(valueAt(hpa, ['spec', 'metrics', 0, 'pods', 'metric', 'name']), 'understudy_calls_in_flight');
    assert.equal(valueAt(hpa, ['spec', 'behavior', 'scaleDown', 'stabilizationWindowSeconds']), 600);
    assert.match(
      String(valueAt(all.get('ConfigMap'), ['data', 'understudy.yaml'])),
      /journal: \/var\/lib\/understudy\//,
    );
    await gatewayTakes(String(valueAt(all.get('ConfigMap'), ['data', 'understudy.yaml'])));
  },

  'a change of the configuration replaces the pods, and nothing else does': async (tools) => {
    const sum = async (values: object): Promise<unknown> =>
      valueAt((await render(tools, values)).get('Deployment'), [
        'spec',
        'template',
        'metadata',
        'annotations',
        'understudy/config',
      ]);
    const [first, same, other] = await Promise.all([
      sum(OPEN),
      sum({ ...OPEN, service: { annotations: { a: 'b' } } }),
      sum({ ...OPEN, config: { server: { reflection: false } } }),
    ]);
    assert.equal(first, same);
    assert.notEqual(first, other);
  },

  'no secret is rendered': async (tools) => {
    assert.ok(![...(await render(tools, WHOLE)).keys()].includes('Secret'));
  },

  'the autoscaler can go by CPU': async (tools) => {
    const hpa = (await render(tools, { ...OPEN, autoscaling: { enabled: true, metric: 'cpu' } })).get(
      'HorizontalPodAutoscaler',
    );
    assert.deepEqual(valueAt(hpa, ['spec', 'metrics', 0, 'resource', 'target']), {
      type: 'Utilization',
      averageUtilization: 60,
    });
  },

  'the network lets callers in, and metrics out to those who read them': async (tools) => {
    const policy = (await render(tools, WHOLE)).get('NetworkPolicy');
    assert.deepEqual(valueAt(policy, ['spec', 'ingress', 0]), {
      from: [{ podSelector: {} }],
      ports: [{ port: 'grpc' }, { port: 'web' }],
    });
    assert.deepEqual(valueAt(policy, ['spec', 'ingress', 1, 'ports']), [{ port: 'admin' }]);
    assert.deepEqual(valueAt(policy, ['spec', 'egress', 2, 'ports']), [{ port: 5432 }]);
    const closed = (await render(tools, { ...OPEN, networkPolicy: { callers: [], metrics: [] } })).get('NetworkPolicy');
    assert.equal(valueAt(closed, ['spec', 'ingress']), null, 'an empty list would let in everybody');
  },

  'the values that the README shows are valid': async (tools) => {
    const [, block = ''] = readFileSync(join(CHART, 'README.md'), 'utf8').split('```yaml');
    const values: unknown = parse(block.split('```', 1)[0] ?? '');
    assert.ok(typeof values === 'object' && values !== null);
    const digest = { repository: 'a', digest: `sha256:${SHA}` };
    assert.equal((await render(tools, { ...values, image: digest })).size, 8);
  },

  'the examples for Gateway API and Istio are of their types': async (tools) => {
    for (const name of ['gateway-api', 'istio']) {
      await passes(tools.checker, [
        'manifests',
        fileURLToPath(new URL(`../../deploy/examples/${name}.yaml`, import.meta.url)),
      ]);
    }
  },
};

/** Has the gateway check a configuration, with variables that stand for secrets, and without the files of TLS. */
async function gatewayTakes(text: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-config-'));
  try {
    const file = join(folder, 'understudy.yaml');
    writeFileSync(file, text.replaceAll(/^ {2}(?:tls:\n(?: {4}.*\n?)+|admin_tls: .*\n?)/gm, ''));
    const [program, ...args] = PROGRAM_COMMAND;
    const env = { ...process.env, OPENAI_API_KEY: 'none', DATABASE_URL: 'postgres://a:b@127.0.0.1/c' };
    const { code, printed } = await runProgram(program, [...args, 'check', '--config', file], { env });
    assert.equal(code, 0, printed);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
