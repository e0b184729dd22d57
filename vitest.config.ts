import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'gateway', include: ['test/**/*.test.ts'], testTimeout: 60_000 } },
      'clients/typescript',
    ],
  },
});
