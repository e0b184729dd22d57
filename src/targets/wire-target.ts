import type { TargetConfig } from '../config/port/resolved.ts';
import type { Cohort } from '../core/cohort.ts';
import type { Target } from './target.ts';
import { adapterFor } from '../providers/registry.ts';
import type { System } from '../core/ports.ts';
import { inCohorts } from '../upstream/network/cohort-transport.ts';
import { createMockTransport } from '../mock/scripted-transport.ts';
import { createUndiciTransport } from '../upstream/network/undici-transport.ts';
import { EntraTokens } from '../upstream/identity/entra-tokens.ts';
import { createUpstreamTarget } from '../upstream/target-client.ts';
import { LearntQuirks } from './learnt-quirks.ts';

/** Seed of the mock's answers: the same calls give the same answers in every process. */
const MOCK_SEED = 1;

/**
 * Makes a target that can be called.
 *
 * @param cohort in which its answers are told, with those of others
 * @param onUnknown told of all in its answers that its adapter does not know
 */
export function wireTarget(config: TargetConfig, system: System, cohort: Cohort, onUnknown: () => void): Target {
  const { provider, api = 'chat_completions', baseUrl, apiKey, organization, timeouts, proxy, identity } = config;
  const adapter = adapterFor(provider, api, baseUrl);
  const transport = config.mock
    ? createMockTransport({ runtime: system, provider, api, seed: MOCK_SEED })
    : inCohorts(createUndiciTransport(system, { connectTimeoutMs: timeouts.connectMs, proxy }), cohort);
  const tokens =
    identity && new EntraTokens(identity, createUndiciTransport(system, { proxy: identity.proxy }), system);
  const head = { provider, baseUrl, apiKey, organization };
  const upstream = createUpstreamTarget({ head, tokens, adapter, transport, runtime: system, onUnknown });
  return { config, adapter, upstream, quirks: new LearntQuirks() };
}
