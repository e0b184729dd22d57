import { expect, test } from 'vitest';

import { modelKey, ModelMemory } from '../../src/pricing/model-memory.ts';

test('a key is of its provider and its model, however many models were named', () => {
  const keys = new ModelMemory(modelKey);
  for (let round = 0; round < 2; round++) {
    for (let at = 0; at < 2_500; at++) {
      expect(keys.of('openai', `model-${at}`)).toBe(`openai/model-${at}`);
      expect(keys.of('groq', `org/model-${at}`)).toBe(`groq/org/model-${at}`);
    }
  }
});
