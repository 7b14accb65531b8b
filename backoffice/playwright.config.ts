import { defineConfig, devices } from '@playwright/test';

const executablePath = process.env['TILL_CHROMIUM'];
const baseURL = process.env['TILL_BACKOFFICE_URL'];
const junit = process.env['TILL_JUNIT_E2E'];
const root = process.getuid?.() === 0;

export default defineConfig({
  testDir: 'e2e',
  outputDir: '../.local/playwright',
  // One system, one ledger: the tests share what they change, so they run one after the other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: junit === undefined || junit === '' ? [['list']] : [['list'], ['junit', { outputFile: junit }]],
  use: {
    ...devices['Desktop Chrome'],
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    ...(baseURL === undefined ? {} : { baseURL }),
    launchOptions: {
      // Chromium's own sandbox does not start for root.
      args: root ? ['--no-sandbox'] : [],
      ...(executablePath === undefined || executablePath === '' ? {} : { executablePath }),
    },
  },
});
