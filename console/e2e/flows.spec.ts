// What people do in the console: sign in, find what failed, watch, check. And a server that lies.
import { expect, test, type Page } from '@playwright/test';
import { REFUND, settled, signIn, tokenOf } from './helpers';

const append = async (page: Page, events: object[]): Promise<void> => {
  const answer = await page.request.post('http://127.0.0.1:7499/api/v1/logs/main/events?ack=published', {
    headers: { authorization: `Bearer ${tokenOf('admin')}` },
    data: events,
  });
  expect(answer.status()).toBe(200);
};

test('a token that nobody made is refused, with what to do', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Token').fill('tacho_x');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('copy it again');
});

test('who signs in with an issuer is where they wanted to be', async ({ page }) => {
  const wanted = '/logs/main/explore?outcome=error';
  await page.goto(wanted);
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByRole('link', { name: 'I am Ann' }).click();
  await expect(page.locator('header.top')).toBeVisible();
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(wanted);
  const said = await page.request.get('/api/v1/session', { headers: { 'x-tacho-console': '1' } });
  expect(await said.json()).toMatchObject({ method: 'oidc', subject: 'ann', roles: ['auditor'] });
});

test('who does not sign in with the issuer is told so, and may try again', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByRole('link', { name: 'Never mind' }).click();
  await expect(page.getByText('access was denied there')).toBeVisible();
  await page.getByRole('link', { name: 'Sign in with Example' }).click();
  await page.getByRole('link', { name: 'I am Ann' }).click();
  await expect(page.locator('header.top')).toBeVisible();
  expect(page.url()).not.toContain('sign_in');
});

test('signing out ends the session', async ({ page }) => {
  await signIn(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to Tachograph' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Sign in to Tachograph' })).toBeVisible();
});

test('the failing tool of the incident is found in under five clicks', async ({ page }) => {
  await signIn(page);
  await page.getByRole('link', { name: 'Sessions' }).click();
  await page.getByRole('link', { name: 'session-refund-7731' }).click();
  await page.locator('.fall-row', { hasText: 'timeout' }).first().click();
  await expect(page.locator('aside.detail')).toContainText('process_refund');
  await expect(page.locator('aside.detail')).toContainText('TimeoutError');
});

test('the keyboard alone searches, chooses, and closes', async ({ page }) => {
  await signIn(page);
  await expect(page.getByRole('link', { name: 'Explore' })).toBeVisible();
  await settled(page);
  await page.keyboard.press('/');
  await page.keyboard.type('agent:Billing outcome:timeout');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/explore\?agent=Billing&outcome=timeout/);
  // The overview has such rows, too: keys count once the list is there.
  await expect(page.getByRole('heading', { name: 'Explore' })).toBeVisible();
  await expect(page.getByText(/^\d+ events, as of/)).toBeVisible();
  await expect(page.locator('.event-row.bad').first()).toContainText('Billing');
  await page.keyboard.press('j');
  await expect(page.locator('aside.detail')).toContainText('Billing');
  await page.keyboard.press('Escape');
  await expect(page.locator('aside.detail')).toHaveCount(0);
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog')).toContainText('Keyboard');
  await page.keyboard.press('Escape');
  await page.keyboard.press('g');
  await page.keyboard.press('i');
  await expect(page.getByRole('heading', { name: 'Integrity' })).toBeVisible();
});

test('the live feed shows what comes, waits while it is paused, and loses nothing', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/live');
  await expect(page.getByRole('status').filter({ hasText: 'connected' })).toBeVisible();
  await append(page, [
    { event_type: 'agent.tool_call', agent_name: 'Newcomer', tool: 'first_look', outcome: 'success' },
  ]);
  await expect(page.getByText('first_look')).toBeVisible();
  await page.keyboard.press('p');
  await append(
    page,
    Array.from({ length: 1_000 }, (_, at) => ({
      event_type: 'agent.message',
      agent_name: 'Newcomer',
      action: `burst-${at}`,
      outcome: 'success',
    })),
  );
  await expect(page.getByRole('button', { name: /Show 1,000 new events|Show 1,00\d new events/ })).toBeVisible();
  await expect(page.getByText('burst-999')).toHaveCount(0);
  await page.getByRole('button', { name: /Show/ }).click();
  await expect(page.getByText('burst-999')).toBeVisible();
});

test('redactions are shown as such, and an event proves itself', async ({ page }) => {
  await signIn(page, 'auditor', `/logs/main/traces/${REFUND}?view=conversation`);
  await expect(page.locator('mark.redacted').first()).toContainText('card number');
  await page.goto('/logs/main/events/8');
  await page.getByRole('tab', { name: 'Proof' }).click();
  await expect(page.getByText('Consistent.')).toBeVisible();
});

test('who may not see content is not offered it', async ({ page }) => {
  await signIn(page, 'reader', '/logs/main/events/8');
  await expect(page.getByRole('tab', { name: 'Details' })).toBeVisible();
  await expect(page.getByRole('tab', { name: 'Content' })).toHaveCount(0);
  await expect(page.getByRole('link', { name: 'Life cycle' })).toHaveCount(0);
  await page.getByRole('tab', { name: 'Proof' }).click();
  await expect(page.getByText('Consistent.')).toBeVisible();
});

test('an operator is offered no events', async ({ page }) => {
  await signIn(page, 'operator');
  await expect(page.getByText('Your roles show no events')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Life cycle' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Explore' })).toHaveCount(0);
  await page.getByRole('link', { name: 'Life cycle' }).click();
  await page.getByRole('tab', { name: 'Legal holds' }).click();
  await expect(page.getByText('case 2026-118')).toBeVisible();
});

test('a log that grew is verified against the key that one expects', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/integrity');
  const key = (await page.locator('dd.mono').filter({ hasText: '+' }).first().innerText()).trim();
  await page.getByPlaceholder('origin+id+key').fill(key);
  await page.getByRole('button', { name: 'Keep in this browser' }).click();
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByText('Verified by this browser')).toBeVisible();
  await append(
    page,
    Array.from({ length: 300 }, () => ({ event_type: 'agent.message', agent_name: 'Newcomer', outcome: 'success' })),
  );
  await page.getByRole('button', { name: 'Check again' }).click();
  await expect(page.getByText(/entries that this browser saw are all there/)).toBeVisible();
  await expect(page.getByText('Verified by this browser')).toBeVisible();
});

test('another history than the one that was seen is told', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/integrity');
  await page.getByRole('button', { name: 'Check now' }).click();
  await expect(page.getByText('Consistent.')).toBeVisible();
  await page.evaluate(() => {
    const name = Object.keys(localStorage).find((it) => it.startsWith('tachograph.checkpoint.')) ?? '';
    const kept = JSON.parse(localStorage.getItem(name) ?? '{}') as { size: number; root: string };
    localStorage.setItem(name, JSON.stringify({ ...kept, size: kept.size - 7 }));
  });
  await page.getByRole('button', { name: 'Check again' }).click();
  await expect(page.getByText('This log does not hold.')).toBeVisible();
});

test('a server that alters an event is found by the page itself', async ({ page }) => {
  await signIn(page);
  await page.route('**/api/v1/logs/main/events/8', async (route) => {
    const text = await (await route.fetch()).text();
    await route.fulfill({ body: text.replaceAll('"timeout"', '"success"'), contentType: 'application/json' });
  });
  await page.goto('/logs/main/events/8');
  await page.getByRole('tab', { name: 'Proof' }).click();
  await expect(page.getByText('This event does not hold.')).toBeVisible();
  await expect(page.getByText(/shows otherwise than sealed: outcome/)).toBeVisible();
});

test('evidence that was altered does not hold', async ({ page }) => {
  await signIn(page);
  await page.route('**/api/v1/logs/main/events/*/proof?**', async (route) => {
    const text = await (await route.fetch()).text();
    await route.fulfill({ body: text.replaceAll('timeout', 'success'), contentType: 'application/json' });
  });
  await page.goto('/logs/main/events/8');
  await page.getByRole('tab', { name: 'Proof' }).click();
  await expect(page.getByText('This event does not hold.')).toBeVisible();
});

test('evidence of another event is not taken for this one', async ({ page }) => {
  await signIn(page);
  await page.route('**/api/v1/logs/main/events/8/proof?**', async (route) => {
    await route.fulfill({
      response: await route.fetch({ url: route.request().url().replace('/events/8/', '/events/7/') }),
    });
  });
  await page.route('**/api/v1/logs/main/events/*/proof?**', async (route) => {
    await route.fulfill({
      response: await route.fetch({
        url: route
          .request()
          .url()
          .replace(/events\/[^/]+\//, 'events/7/'),
      }),
    });
  });
  await page.goto('/logs/main/events/8');
  await page.getByRole('tab', { name: 'Proof' }).click();
  await expect(page.getByText('This event does not hold.')).toBeVisible();
});

test('a server that is away is said to be, and it goes on by itself', async ({ page }) => {
  await signIn(page);
  await page.route('**/api/v1/logs/main/agents', (route) => route.abort());
  await page.goto('/logs/main/agents');
  await expect(page.getByRole('alert')).toContainText('does not answer');
  await page.unroute('**/api/v1/logs/main/agents');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('link', { name: 'Billing' })).toBeVisible();
  await settled(page);
});
