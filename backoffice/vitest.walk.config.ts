import { defineConfig } from 'vitest/config';

/** The README's walk through the generated TypeScript client, against the running system that the environment names. */
export default defineConfig({
  test: {
    environment: 'node',
    include: ['walk/**/*.test.ts'],
    testTimeout: 60_000,
  },
});
