// Refuses a build whose first load is too heavy: 300 kB compressed, the checker apart, which is loaded
// when somebody checks something.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const LIMIT_BYTES = 300_000;
const folder = new URL('../../crates/serve/console/', import.meta.url);
const names = readdirSync(fileURLToPath(folder), { recursive: true, withFileTypes: true })
  .filter((it) => it.isFile() && !/\.(gz|wasm)$/.test(it.name))
  .map((it) => `${it.parentPath}/${it.name}`);
const bytes = names.reduce((sum, name) => sum + gzipSync(readFileSync(name)).length, 0);
console.log(`first load: ${bytes} bytes compressed, at most ${LIMIT_BYTES}`);
if (bytes > LIMIT_BYTES) process.exit(1);
