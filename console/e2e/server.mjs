// What the end-to-end tests run against: a fresh log with the recordings of testdata/, a real server
// (TACHO, else target/debug/tacho) that serves the console, and a token for each role. Everything lies in a
// temporary folder and goes with it. With FRONT=1 the console's files come from crates/serve/console as they
// lie there: for work on the console without building the server.
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen as listenAsIssuer } from './issuer.mjs';
import { events } from './load.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tacho = process.env.TACHO ?? join(root, 'target/debug/tacho');
const folder = mkdtempSync(join(tmpdir(), 'tacho-console-'));
const env = { ...process.env, TACHO_DATA: join(folder, 'data'), XDG_CONFIG_HOME: join(folder, 'configuration') };
const run = (...args) =>
  execFileSync(tacho, args, { env, cwd: join(root, 'testdata'), encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
const children = [];
const end = async () => {
  const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
  children.forEach((child) => child.kill('SIGTERM'));
  await Promise.all(ended);
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
};
process.on('SIGTERM', () => void end());
process.on('SIGINT', () => void end());

run('init');
run('import', '--from', 'ndjson', 'incident/refund.ndjson');
run('import', '--from', 'ag2-audit', 'ag2/hub/audit.jsonl');
run('import', '--from', 'ag2-spans', 'ag2/hub/spans.jsonl');
run(
  'import',
  '--from',
  'otlp-json',
  'otlp/traces.json',
  'otlp/logs.json',
  ...readdirSync(join(root, 'testdata/otlp/generations'))
    .filter((name) => name !== 'README.md')
    .map((name) => `otlp/generations/${name}`),
);
writeFileSync(join(folder, 'load.ndjson'), events(Date.now(), 90));
run('append', join(folder, 'load.ndjson'));
run('hold', 'add', '--session', 'session-refund-7731', '--reason', 'case 2026-118');
const tokens = {};
for (const role of ['reader', 'analyst', 'auditor', 'operator', 'admin']) {
  const said = run('token', 'create', `e2e-${role}`, '--role', role, '--format', 'json');
  tokens[role] = JSON.parse(said).token;
}
writeFileSync(fileURLToPath(new URL('.tokens.json', import.meta.url)), JSON.stringify(tokens));

// The same log as it is now, before what follows: for the test of a server that shows an older tree.
const older = { ...env, TACHO_DATA: join(folder, 'older') };
cpSync(env.TACHO_DATA, older.TACHO_DATA, { recursive: true });
writeFileSync(join(folder, 'more.ndjson'), '{"event_type":"agent.message","agent_name":"Later"}\n'.repeat(20));
run('append', join(folder, 'more.ndjson'));

const listen = process.env.FRONT ? '127.0.0.1:7498' : '127.0.0.1:7499';
const server = `http://${listen}`;
const issuer = await listenAsIssuer(7496);
const issuers = `[{ issuer = "${issuer}", audience = "tachograph", \
sign_in = { redirect = "http://127.0.0.1:7499/sign-in/return", name = "Example" }, \
rules = [{ claim = "groups", value = "auditors", roles = ["auditor"], logs = "all" }] }]`;
const serving = { ...env, TACHO_ACCESS__ISSUERS: issuers };
children.push(spawn(tacho, ['serve', '--listen', listen], { env: serving, stdio: 'ignore' }));
children.push(spawn(tacho, ['serve', '--listen', '127.0.0.1:7497'], { env: older, stdio: 'ignore' }));
for (let tries = 0; ; tries += 1) {
  const isUp = await fetch(`${server}/healthz`).then(
    (answer) => answer.ok,
    () => false,
  );
  if (isUp) break;
  if (tries > 300) throw new Error('the server does not come up');
  await new Promise((resolve) => setTimeout(resolve, 200));
}
if (process.env.FRONT) {
  const front = { ...process.env, TACHO_URL: server, PORT: '7499' };
  children.push(
    spawn(process.execPath, [fileURLToPath(new URL('../dev/front.mjs', import.meta.url))], {
      env: front,
      stdio: 'inherit',
    }),
  );
}
