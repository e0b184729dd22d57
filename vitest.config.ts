import { defineConfig } from 'vitest/config';

// Limits for what hangs, not for what takes its time on a busy machine.
const LIMITS = { testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } } };

export default defineConfig({
  test: {
    // Vitest would leave one core free, of two half of the machine, while most files wait for programs that they started.
    maxWorkers: '100%',
    projects: [{ test: { name: 'gateway', include: ['test/**/*.test.ts'], ...LIMITS } }, 'clients/typescript'],
  },
});
