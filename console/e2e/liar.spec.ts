// A server that lies is found out by the page concerned, without anybody asking: an altered event, a session
// with a hole, an older tree. And a server that does not lie is believed nothing less.
import { expect, test } from '@playwright/test';
import { settled, signIn } from './helpers';
import { Liar } from './liar';

const SESSION = 'session-refund-7731';
let liar: Liar;
let address: string;

test.beforeEach(async () => {
  liar = new Liar('http://127.0.0.1:7499');
  address = await liar.listen();
});
test.afterEach(() => liar.end());

interface Traced {
  events: { index: number }[];
  nodes: { index: number }[];
}

/** A session without one of its events: as if it had never been. */
const without = (body: string, at: (events: Traced['events']) => { index: number } | undefined): string => {
  const trace = JSON.parse(body) as Traced;
  const sorted = trace.events.toSorted((one, other) => one.index - other.index);
  const gone = at(sorted)?.index;
  const rest = <T extends { index: number }>(all: T[]): T[] => all.filter((it) => it.index !== gone);
  return JSON.stringify({ ...trace, events: rest(trace.events), nodes: rest(trace.nodes) });
};

test('what is not altered holds, and is said to', async ({ page }) => {
  await signIn(page, 'auditor', `${address}/logs/main/events/8`);
  await expect(page.getByText('as sealed')).toBeVisible();
  await page.goto(`${address}/logs/main/sessions/${SESSION}`);
  await expect(page.getByText('Nothing was left out of this session')).toBeVisible();
  await page.locator('a.fall-row').first().click();
  await page.getByRole('tab', { name: 'Content' }).click();
  await settled(page);
  await expect(page.getByText('does not hold')).toHaveCount(0);
});

test('an event of which metadata was altered', async ({ page }) => {
  liar.lie = (path, body) => (path.endsWith('/events/8') ? body.replaceAll('"timeout"', '"success"') : undefined);
  await signIn(page, 'auditor', `${address}/logs/main/events/8`);
  await expect(page.getByText('This event does not hold.')).toBeVisible();
  await expect(page.getByText('otherwise than sealed: outcome')).toBeVisible();
});

test('an event that was given what it never said', async ({ page }) => {
  liar.lie = (path, body) =>
    path.endsWith('/events/8') ? body.replace('"kind":"event"', '"approver":"Mallory","kind":"event"') : undefined;
  await signIn(page, 'reader', `${address}/logs/main/events/8`);
  await expect(page.getByText('otherwise than sealed: approver')).toBeVisible();
});

test('an event of which the content was altered, when its content is looked at', async ({ page }) => {
  liar.lie = (path, body) => {
    if (!path.endsWith('/events/8')) return undefined;
    const page = JSON.parse(body) as { events: { content?: Record<string, unknown> }[] };
    for (const event of page.events) event.content = { ...event.content, params: { amount: 1 } };
    return JSON.stringify(page);
  };
  await signIn(page, 'auditor', `${address}/logs/main/events/8`);
  await page.getByRole('tab', { name: 'Content' }).click();
  await expect(page.getByText('otherwise than sealed: content')).toBeVisible();
});

test('another event than the one that was asked for', async ({ page }) => {
  liar.lie = (path, body) => {
    if (!path.endsWith('/events/8')) return undefined;
    return body.replace('"index":8', '"index":7');
  };
  await signIn(page, 'auditor', `${address}/logs/main/events/8`);
  await expect(page.getByText('This event does not hold.')).toBeVisible();
});

for (const [where, at] of [
  ['first', 0],
  ['middle', 4],
  ['last', -1],
] as const) {
  test(`a session without its ${where} event`, async ({ page }) => {
    liar.lie = (path, body) =>
      path.includes(`/sessions/${SESSION}`) ? without(body, (events) => events.at(at)) : undefined;
    await signIn(page, 'auditor', `${address}/logs/main/sessions/${SESSION}`);
    await expect(page.getByText('1 record of this session is not shown.')).toBeVisible();
    await expect(page.getByText('The server leaves it out.')).toBeVisible();
  });
}

test('an older tree than the one that this browser saw', async ({ page }) => {
  await signIn(page, 'auditor', `${address}/logs/main`);
  await expect
    .poll(() => page.evaluate(() => Object.keys(localStorage).some((it) => it.startsWith('tachograph.checkpoint.'))))
    .toBe(true);
  await expect(page.getByText('This is not the log')).toHaveCount(0);
  // The same log and the same key, as it was before the last events: a backup that was put in its place.
  liar.upstream = 'http://127.0.0.1:7497';
  await signIn(page, 'auditor', `${address}/logs/main/explore`);
  await expect(page.getByText('This is not the log that this browser saw before.')).toBeVisible();
  // It stays said, whatever page one goes to.
  await page.getByRole('link', { name: 'Sessions' }).click();
  await expect(page.getByText('This is not the log that this browser saw before.')).toBeVisible();
});
