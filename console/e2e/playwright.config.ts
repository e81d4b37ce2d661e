// The end-to-end tests: Debian's Chromium against a real `tacho serve`, in two colours and two widths.
import { defineConfig } from '@playwright/test';

const chromium = { executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] };
const use = (colorScheme: 'light' | 'dark', width: number) => ({
  name: `${colorScheme}-${width}`,
  testMatch: 'pages.spec.ts',
  use: { colorScheme, viewport: { width, height: width < 500 ? 844 : 900 } },
});

export default defineConfig({
  testDir: '.',
  outputDir: 'pictures/failures',
  timeout: 120_000,
  expect: { timeout: 20_000 },
  workers: 1,
  reporter: 'list',
  use: { baseURL: 'http://127.0.0.1:7499', launchOptions: chromium, locale: 'en' },
  webServer: {
    command: 'node server.mjs',
    url: 'http://127.0.0.1:7499/',
    timeout: 180_000,
    stdout: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
  },
  projects: [
    use('light', 1440),
    use('dark', 390),
    // Each colour and each width is among the two above; LOOKS=all tries them together, too.
    ...(process.env['LOOKS'] === 'all' ? [use('dark', 1440), use('light', 390)] : []),
    { name: 'flows', testMatch: 'flows.spec.ts' },
    { name: 'investigate', testMatch: 'investigate.spec.ts' },
    { name: 'liar', testMatch: 'liar.spec.ts' },
    { name: 'lifecycle', testMatch: 'lifecycle.spec.ts' },
    { name: 'hostile', testMatch: 'hostile.spec.ts' },
  ],
});
