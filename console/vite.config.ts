// How the console is built: into the folder that `serve` embeds, with content hashes in the names of
// assets, and nothing in a page that its policy would refuse (no inline script, no data: module).
import { defineConfig } from 'vitest/config';
import { developmentServer } from './dev/plugin.mjs';

export default defineConfig({
  plugins: [developmentServer()],
  build: {
    outDir: '../crates/serve/console',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    sourcemap: false,
    target: 'es2022',
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node', testTimeout: 30_000 },
});
