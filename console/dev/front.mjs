// Serves the built console as `tacho serve` does, with exactly its policy, before a server at
// TACHO_URL. The end-to-end tests run against it where the server does not serve the console itself.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Proxy } from './proxy.mjs';

const FILES = fileURLToPath(new URL('../../crates/serve/console/', import.meta.url));
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.gz': 'application/octet-stream',
  '.wasm': 'application/wasm',
};

const send = (response, status, name, content) => {
  const asset = name.startsWith('assets/');
  response.writeHead(status, {
    'content-type': TYPES[extname(name)] ?? 'application/octet-stream',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': asset ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
  response.end(content);
};

const file = (request, response) => {
  const name = normalize(decodeURIComponent(new URL(request.url, 'http://console').pathname)).slice(1);
  try {
    send(response, 200, name, readFileSync(join(FILES, name)));
  } catch {
    const page = (request.headers.accept ?? '').includes('text/html');
    if (page) send(response, 200, 'index.html', readFileSync(join(FILES, 'index.html')));
    else send(response, 404, 'none', '');
  }
};

const proxy = new Proxy(process.env.TACHO_URL ?? 'http://127.0.0.1:7411');
const port = Number(process.env.PORT ?? 7480);
http
  .createServer((request, response) => {
    proxy.answer(request, response).then(
      (done) => done || file(request, response),
      () => send(response, 502, 'none', ''),
    );
  })
  .listen(port, '127.0.0.1', () => console.log(`the console: http://127.0.0.1:${port}/`));
