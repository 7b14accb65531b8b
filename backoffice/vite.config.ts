import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { leanModules } from './build/lean-modules.ts';
import { apiProxy, serving } from './build/serving.ts';
import { servingFromEnvironment } from './server/serving.js';

const read = () => servingFromEnvironment(process.env);

export default defineConfig(({ command }) => {
  const testing = process.env['VITEST'] !== undefined;
  // Only a server needs an API and an issuer; a build and a test run do not.
  const serves = !testing && command === 'serve';
  const proxy = serves ? apiProxy(read()) : {};
  const junit = process.env['TILL_JUNIT'];
  return {
    plugins: [react(), leanModules(), ...(testing ? [] : [serving(read)])],
    server: { host: '127.0.0.1', strictPort: true, proxy },
    build: {
      target: 'es2023',
      manifest: true,
      sourcemap: false,
      // An inlined font or image would be allowed by the policy only as data:, so keep every asset a file.
      assetsInlineLimit: 0,
    },
    test: {
      environment: 'jsdom',
      include: ['src/**/*.test.{ts,tsx}'],
      setupFiles: ['src/test/setup.ts'],
      restoreMocks: true,
      // All files share one environment and one copy of the modules: half the time. The set-up cleans up after each test.
      isolate: false,
      // Two cores, often shared: a slow machine is not a failing test.
      testTimeout: 20_000,
      reporters: junit === undefined || junit === '' ? ['default'] : ['default', ['junit', { outputFile: junit }]],
      server: { deps: { inline: [/@clickhouse\/click-ui/] } },
    },
  };
});
