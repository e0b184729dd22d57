import { providerDefaults } from '../../src/config/port/provider-defaults.ts';
import type { ProviderName } from '../../src/core/provider.ts';

/** Models that differ in what they take; those of which nothing is known stand for all others. */
const MODELS: Partial<Record<ProviderName, readonly string[]>> = {
  openai: ['gpt-6.1-sol', 'gpt-5.1', 'gpt-4o', 'o4-mini', 'llama-4'],
  'azure-openai': ['my-deployment', 'gpt-5.1', 'gpt-4o'],
  anthropic: ['claude-sonnet-5-5', 'claude-haiku-5-5', 'claude-opus-4-6', 'claude-haiku-4-5'],
  deepseek: ['deepseek-flash', 'deepseek-v4-pro', 'deepseek-chat'],
  ollama: ['qwen3', 'gpt-oss:20b'],
  groq: ['openai/gpt-oss-120b', 'qwen/qwen3-32b', 'llama-3.3-70b-versatile'],
  mistral: ['mistral-large-latest', 'magistral-medium-latest'],
};

/** Returns the models that tell what a provider does with a request; its default model where they are all alike. */
export function tellingModels(provider: ProviderName): readonly string[] {
  return MODELS[provider] ?? [providerDefaults(provider).model ?? ''];
}
