import { azureEndpoint } from '../core/azure-endpoint.ts';
import type { OpenAiApi, ProviderName } from '../core/provider.ts';
import { trimBaseUrl } from './port/base-url.ts';
import type { Environment, TargetConfig } from './port/resolved.ts';
import { defaultModel, isOwnHost, providerDefaults } from './port/provider-defaults.ts';
import type { FileTarget } from './file/schema.ts';

/** What a target gets from outside its entry. */
export interface TargetContext {
  readonly env: Environment;
  /** Whether every target is a mock (`UNDERSTUDY_MOCK=1`). */
  readonly mockAll: boolean;
  readonly source: string;
  readonly organization?: string | undefined;
  /** Models that routes ask this target for. */
  readonly routedModels: readonly string[];
}

/** Stands in for a base URL where only the mock can answer: the name never resolves (RFC 2606). */
const MOCK_BASE_URL = 'https://mock.invalid/openai/v1';

/** Tells whether the mock upstream answers for a target. */
export function isMock(target: FileTarget, mockAll: boolean): boolean {
  return mockAll || target.provider === 'mock' || target.mock === true;
}

/** Fills in a checked target's defaults. */
export function resolveTarget(target: FileTarget, context: TargetContext): TargetConfig {
  const defaults = providerDefaults(target.provider);
  const model = target.model ?? defaultModel(target.provider, context.env);
  const named = [model, ...target.models, ...target.prices.map((price) => price.model), ...context.routedModels];
  return {
    name: target.name,
    provider: target.provider,
    baseUrl: trimBaseUrl(target.base_url ?? defaults.baseUrl ?? MOCK_BASE_URL),
    ownHost: isMock(target, context.mockAll) || isOwnHost(target.provider, target.base_url),
    apiKey: target.api_key,
    organization: context.organization,
    model,
    api: target.api ?? defaultApi(target.provider, target.base_url),
    models: [...new Set(named.filter((id) => id !== undefined))],
    prices: target.prices.map((price) => ({
      model: price.model,
      input: price.input,
      cachedInput: price.cached_input,
      cacheWrite: price.cache_write,
      output: price.output,
    })),
    limitGroup: target.limit_group ?? target.name,
    timeouts: {
      connectMs: target.timeouts.connect,
      firstOutputMs: target.timeouts.first_output,
      progressMs: target.timeouts.progress,
    },
    upstreamMode: target.upstream_mode,
    mock: isMock(target, context.mockAll),
    source: context.source,
  };
}

function defaultApi(provider: ProviderName, baseUrl: string | undefined): OpenAiApi | undefined {
  if (provider !== 'openai' && provider !== 'azure-openai') return undefined;
  // Only the newest of Azure's dated endpoints have Responses; all of them have Chat Completions.
  const isDated = provider === 'azure-openai' && azureEndpoint(baseUrl ?? '').isDated;
  return isOwnHost(provider, baseUrl) && !isDated ? 'responses' : 'chat_completions';
}
