import type { CompatibleName, DistinctName } from '../../core/provider.ts';

/**
 * Names of the OpenTelemetry semantic conventions for generative AI, status Development, as of November 2026:
 * https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai/gen-ai-metrics.md, gen-ai-spans.md). Prometheus
 * writes their points as underscores and adds the unit.
 */

/** `gen_ai.operation.name` of every call: each of the three methods is a chat with the provider. */
export const OPERATION = 'chat';

/** Our providers in the words of `gen_ai.provider.name`; those that have none there keep their own. */
const GEN_AI_PROVIDERS = {
  'azure-openai': 'azure.ai.openai',
  openai: 'openai',
  anthropic: 'anthropic',
  deepseek: 'deepseek',
  ollama: 'ollama',
  mistral: 'mistral_ai',
  mock: 'mock',
} as const satisfies Record<DistinctName, string> & Partial<Record<CompatibleName, string>>;

const NAME_OF_PROVIDER: ReadonlyMap<string, string> = new Map(Object.entries(GEN_AI_PROVIDERS));

/**
 * Upper bounds of durations in seconds: those that the conventions ask for, and three more, since answers with reasoning
 * take minutes.
 */
export const DURATION_BUCKETS: readonly number[] = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36,
];

/** Upper bounds of token counts that the conventions ask for. */
export const TOKEN_BUCKETS: readonly number[] = [
  1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
];

/** Returns the value of `gen_ai.provider.name` for a provider of ours. */
export function genAiProvider(provider: string): string {
  return NAME_OF_PROVIDER.get(provider) ?? provider;
}
