// How fast the live feed is: sends so many events a second to the server that `node e2e/server.mjs` runs, with
// the feed open in Chromium, and says what arrived, what was missed, and for how long the page did not answer.
//   node e2e/feed.mjs 5000 10
/* global window -- what runs in the page */
import { readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';

const rate = Number(process.argv[2] ?? 5_000);
const seconds = Number(process.argv[3] ?? 10);
const server = process.env.TACHO_URL ?? 'http://127.0.0.1:7499';
const tokens = JSON.parse(readFileSync(new URL('.tokens.json', import.meta.url), 'utf8'));
const TICK_MS = 100;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(`${server}/logs/main/live`);
await page.getByLabel('Token').fill(tokens.auditor);
await page.getByRole('button', { name: 'Sign in' }).click();
await page.getByRole('status').filter({ hasText: 'connected' }).waitFor();
const status = async () => {
  const text = await page.getByRole('status').filter({ hasText: 'events/s' }).innerText();
  const number = (pattern) => Number((pattern.exec(text)?.[1] ?? '0').replaceAll(',', ''));
  return {
    rate: number(/([\d,]+) events\/s/),
    seen: number(/([\d,]+) events? seen/),
    missed: number(/([\d,]+) missed/),
  };
};
const profile = await page.context().newCDPSession(page);
await profile.send('Profiler.enable');
if (process.env.PROFILE) await profile.send('Profiler.start');
await page.evaluate(() => {
  window.blocked = { count: 0, longest: 0, total: 0 };
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      window.blocked.count += 1;
      window.blocked.total += duration;
      window.blocked.longest = Math.max(window.blocked.longest, duration);
    }
  }).observe({ type: 'longtask' });
});

const event = (at) => ({
  event_type: 'agent.tool_call',
  agent_name: `Agent ${at % 7}`,
  tool: 'lookup',
  session_id: `session-${at % 50}`,
  outcome: at % 40 === 0 ? 'failure' : 'success',
  duration_ms: at % 900,
});
const before = await status();
const rates = [];
const began = Date.now();
let sent = 0;
let waiting = 0;
for (let tick = 1; tick <= (seconds * 1_000) / TICK_MS; tick += 1) {
  const wanted = Math.round((tick * TICK_MS * rate) / 1_000);
  const lines = Array.from({ length: wanted - sent }, (_, at) => JSON.stringify(event(sent + at))).join('\n');
  sent = wanted;
  waiting += 1;
  void fetch(`${server}/api/v1/logs/main/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.admin}`, 'content-type': 'application/x-ndjson' },
    body: lines,
  }).then(
    (answer) => {
      waiting -= 1;
      if (!answer.ok) console.error('refused', answer.status);
    },
    (error) => console.error(error),
  );
  if (tick % 10 === 0) rates.push((await status()).rate);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, began + tick * TICK_MS - Date.now())));
}
while (waiting > 0) await new Promise((resolve) => setTimeout(resolve, 20));
const took = (Date.now() - began) / 1_000;
await page.waitForTimeout(2_500);
const after = await status();
const blocked = await page.evaluate(() => window.blocked);
console.log(`sent ${sent} in ${took.toFixed(1)} s: ${Math.round(sent / took)}/s`);
console.log(`seen ${after.seen - before.seen}, missed ${after.missed - before.missed}; shown rates ${rates.join(' ')}`);
console.log(
  `the page was busy ${blocked.count} times, ${Math.round(blocked.total)} ms in all, ${Math.round(blocked.longest)} ms at most`,
);
if (process.env.PROFILE) {
  const { profile: found } = await profile.send('Profiler.stop');
  const self = new Map();
  const names = new Map(found.nodes.map((node) => [node.id, node.callFrame]));
  found.samples.forEach((id, at) => {
    const frame = names.get(id);
    const name = `${frame?.functionName || '(anonymous)'}:${frame?.lineNumber}:${frame?.columnNumber}`;
    self.set(name, (self.get(name) ?? 0) + (found.timeDeltas[at] ?? 0) / 1_000);
  });
  const most = [...self].sort(([, one], [, other]) => other - one).slice(0, 25);
  for (const [name, ms] of most) console.log(`${ms.toFixed(0).padStart(7)} ms ${name}`);
}
await browser.close();
