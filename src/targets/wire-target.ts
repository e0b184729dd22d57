import type { TargetConfig } from '../config/port/resolved.ts';
import type { Cohort } from '../core/cohort.ts';
import type { Transport } from '../core/transport.ts';
import type { Target } from './target.ts';
import { adapterFor } from '../providers/registry.ts';
import type { System } from '../core/ports.ts';
import { inCohorts } from '../upstream/network/cohort-transport.ts';
import { createMockTransport } from '../mock/scripted-transport.ts';
import { createUndiciTransport } from '../upstream/network/undici-transport.ts';
import { EntraTokens } from '../upstream/identity/entra-tokens.ts';
import { createUpstreamTarget } from '../upstream/target-client.ts';
import { keptOf } from './kept-of.ts';
import { LearntQuirks } from './learnt-quirks.ts';
import { renewable, type RenewedUpstream } from './renewed-upstream.ts';

/** Seed of the mock's answers: the same calls give the same answers in every process. */
const MOCK_SEED = 1;

/** A target with what its calls go through. */
export interface WiredTarget extends Target {
  readonly transport: Transport;
  /** Has calls under way use the key of another configuration. */
  readonly goOnAs: RenewedUpstream['goOnAs'];
  /** Keeps no tokens at hand any more. */
  readonly forgetTokens: () => Promise<void>;
}

/**
 * Makes a target that can be called.
 *
 * @param cohort in which its answers are told, with those of others
 * @param onUnknown told of all in its answers that its adapter does not know
 * @param before the target of this name until now: what still fits is used on, its connections above all
 */
export function wireTarget(
  config: TargetConfig,
  system: System,
  cohort: Cohort,
  onUnknown: () => void,
  before?: WiredTarget,
): WiredTarget {
  const { provider, api = 'chat_completions', baseUrl, apiKey, organization, identity } = config;
  const kept = before === undefined ? 'NOTHING' : keptOf(before.config, config);
  const isConnected = before !== undefined && kept !== 'NOTHING' && isReachedAlike(before.config, config);
  if (isConnected && kept === 'ALL') return { ...before, config };
  const adapter = adapterFor(provider, api, baseUrl);
  const transport = isConnected ? before.transport : openTransport(config, system, cohort);
  const tokens =
    identity && new EntraTokens(identity, createUndiciTransport(system, { proxy: identity.proxy }), system);
  const head = { provider, baseUrl, apiKey, organization };
  const made = createUpstreamTarget({ head, tokens, adapter, transport, runtime: system, onUnknown });
  const { upstream, goOnAs } = renewable(made);
  const quirks = before === undefined || kept === 'NOTHING' ? new LearntQuirks() : before.quirks;
  return { config, adapter, upstream, transport, quirks, goOnAs, forgetTokens: async () => tokens?.close() };
}

function openTransport(config: TargetConfig, system: System, cohort: Cohort): Transport {
  const { provider, api = 'chat_completions', timeouts, proxy, mock } = config;
  return mock
    ? createMockTransport({ runtime: system, provider, api, seed: MOCK_SEED })
    : inCohorts(createUndiciTransport(system, { connectTimeoutMs: timeouts.connectMs, proxy }), cohort);
}

/** Whether the connections of one may be those of the other. */
function isReachedAlike(one: TargetConfig, other: TargetConfig): boolean {
  const reachedBy = ({ timeouts, proxy }: TargetConfig): string => JSON.stringify([timeouts.connectMs, proxy]);
  return reachedBy(one) === reachedBy(other);
}
