import { expect, it } from 'vitest';
import { isOwnHost } from '../../src/config/port/provider-defaults.ts';

it.each([
  ['openai', 'https://API.OpenAI.com/v1'],
  ['openai', 'https://api.openai.com./v1'],
  ['openai', 'https://eu.api.openai.com/v1'],
  ['openai', 'http://api.openai.com:8080/v1'],
  ['azure-openai', 'https://Somebody.OpenAI.Azure.com./openai/v1'],
  ['mistral', 'https://api.mistral.ai:443/v1'],
  ['anthropic', undefined],
] as const)('takes %s at %s for the provider itself', (provider, baseUrl) => {
  expect(isOwnHost(provider, baseUrl)).toBe(true);
});

it.each([
  ['openai', 'https://api.openai.com.evil.example/v1'],
  ['openai', 'https://notapi.openai.com/v1'],
  ['openai', 'https://evil.example/api.openai.com'],
  ['openai', 'https://evil.example\\@api.openai.com/v1'],
  ['openai', 'https://api.openai.com@evil.example/v1'],
  ['openai', 'https://api.openai.com../v1'],
  ['azure-openai', 'https://openai.azure.com/openai/v1'],
  ['azure-openai', 'https://x.openai.azure.com.evil.example/openai/v1'],
  ['anthropic', 'https://proxy.api.anthropic.com'],
  ['groq', 'https://api.groq.com.evil.example/v1'],
  ['openai', 'no URL'],
] as const)('takes %s at %s for another server', (provider, baseUrl) => {
  expect(isOwnHost(provider, baseUrl)).toBe(false);
});
