import { expect, it } from 'vitest';
import { MODEL_NAME } from '../../src/core/model-id.ts';

it.each([
  'gpt-4o',
  'ft:gpt-4o-mini-2024-07-18:house::AbC123',
  'claude-opus-4@20250514',
  'us.anthropic.claude-3-5-sonnet-20241022-v2:0',
  'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  'publishers/google/models/gemini-2.5-pro',
  'projects/house/locations/us-central1/endpoints/123',
  'models/gemini-2.5-flash',
  'gemini-2.5-pro+search',
  'deepseek/deepseek-r1:free',
  '~openai/gpt-latest',
  '@cf/meta/llama-3.1-8b-instruct',
  'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  'accounts/fireworks/models/llama-v3p1-405b-instruct#accounts/house/deployments/one',
  'hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M',
  'unsloth/gpt-oss-20b-GGUF:Q8_0,mmproj',
  'qwen2.5:7b-instruct-q4_K_M',
  '/models/My.gguf',
  'C:\\models\\my.gguf',
  'a|b',
  '模型-7b',
  'x'.repeat(256),
])('takes %s for the name of a model', (name) => {
  expect(name).toMatch(MODEL_NAME);
});

it.each(['', 'a b', '\ta', 'a\n', 'a\u00A0b', 'a\0', '\u200Ba', '\uFEFFa', '\uD800', 'x'.repeat(257)])(
  'takes %j for none',
  (name) => {
    expect(name).not.toMatch(MODEL_NAME);
  },
);
