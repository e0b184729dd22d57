import { defineConfig } from 'vitest/config';

// Limits for what hangs, not for what takes its time on a busy machine.
const LIMITS = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    projects: [{ test: { name: 'gateway', include: ['test/**/*.test.ts'], ...LIMITS } }, 'clients/typescript'],
  },
});
