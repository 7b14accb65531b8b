import { defineConfig } from '@playwright/test';

import tests from './playwright.config.ts';

/** Takes the pictures of docs/screenshots: `make screenshots`. Not a test, and not run as one. */
export default defineConfig(tests, {
  testDir: 'screenshots',
  outputDir: '../.local/playwright-screenshots',
  timeout: 240_000,
  reporter: [['list']],
  use: { ...tests.use, viewport: { width: 1280, height: 860 }, trace: 'off' },
});
