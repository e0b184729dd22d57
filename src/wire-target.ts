import type { TargetConfig } from './config/config.ts';
import type { Cohort } from './core/cohort.ts';
import type { Target } from './plan.ts';
import { adapterFor } from './providers/registry.ts';
import type { System } from './system.ts';
import { inCohorts } from './upstream/cohort-transport.ts';
import { createMockTransport } from './upstream/mock/mock-transport.ts';
import { createUndiciTransport } from './upstream/undici-transport.ts';
import { createUpstreamTarget } from './upstream/upstream-target.ts';

/** Seed of the mock's answers: the same calls give the same answers in every process. */
const MOCK_SEED = 1;

/**
 * Makes a target that can be called.
 *
 * @param cohort in which its answers are told, with those of others
 * @param onUnknown told of all in its answers that its adapter does not know
 */
export function wireTarget(config: TargetConfig, system: System, cohort: Cohort, onUnknown: () => void): Target {
  const { provider, api = 'chat_completions', baseUrl, apiKey, organization, timeouts } = config;
  const adapter = adapterFor(provider, api, baseUrl);
  const transport = config.mock
    ? createMockTransport({ runtime: system, provider, api, seed: MOCK_SEED })
    : inCohorts(createUndiciTransport({ connectTimeoutMs: timeouts.connectMs }), cohort);
  const head = { provider, baseUrl, apiKey, organization };
  return { config, adapter, upstream: createUpstreamTarget({ head, adapter, transport, runtime: system, onUnknown }) };
}
