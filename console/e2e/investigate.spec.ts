// What an investigation needs: the incident report and evidence in two clicks, two traces side by side, a
// trace step by step, a search narrowed down, kept and asked in SQL, controls down to their events.
import { readFileSync } from 'node:fs';
import { expect, test, type Download, type Page } from '@playwright/test';
import { accessibilityFaults, overflow, REFUND, settled, signIn, tokenOf, watch } from './helpers';

const taken = async (page: Page, act: () => Promise<void>): Promise<{ download: Download; text: string }> => {
  const [download] = await Promise.all([page.waitForEvent('download'), act()]);
  return { download, text: readFileSync(await download.path(), 'utf8') };
};

test('the incident report of a trace, in two clicks', async ({ page }) => {
  const said = watch(page);
  await signIn(page, 'auditor', `/logs/main/traces/${REFUND}`);
  await page.getByRole('link', { name: 'Incident report' }).click();
  await expect(page.getByRole('heading', { name: /^Why:/ })).toContainText('tool');
  const { download, text } = await taken(page, () => page.getByRole('button', { name: 'HTML' }).click());
  expect(download.suggestedFilename()).toBe(`main-incident-${REFUND}.html`);
  expect(text).toContain('process_refund');
  const pdf = await taken(page, () => page.getByRole('button', { name: 'PDF' }).click());
  expect(pdf.text.slice(0, 5)).toBe('%PDF-');
  await page.getByRole('region', { name: 'Timeline' }).getByRole('link').first().click();
  await expect(page.locator('aside.detail')).toBeVisible();
  expect(await accessibilityFaults(page)).toEqual([]);
  expect(said).toEqual([]);
});

test('evidence of a session, in two clicks, and it is a page that checks itself', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/sessions/session-refund-7731');
  await page.getByRole('link', { name: 'Evidence bundle' }).click();
  const { download, text } = await taken(page, () => page.getByRole('button', { name: 'HTML page' }).click());
  expect(download.suggestedFilename()).toBe('main-evidence-session-refund-7731.html');
  expect(text).toContain('tachograph.bundle/1');
  await page.getByRole('button', { name: 'Metadata only' }).click();
  const bare = await taken(page, () => page.getByRole('button', { name: 'JSON' }).click());
  expect(bare.text).not.toContain('"content":"');
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('two traces side by side', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/traces/run-3');
  await page.getByRole('link', { name: 'Compare' }).click();
  await page.getByLabel('The second').fill('run-4');
  await page.getByLabel('The second').press('Enter');
  await expect(page).toHaveURL(/left=run-3&right=run-4/);
  await expect(page.locator('.diff-row').filter({ hasText: 'only second' }).first()).toBeVisible();
  await page.goto('/logs/main/compare?left=run-3&right=run-3');
  await expect(page.locator('.diff-row').filter({ hasText: 'same' }).first()).toBeVisible();
  await expect(page.locator('.diff-row').filter({ hasText: 'only' })).toHaveCount(0);
  await page.goto('/logs/main/compare?left=run-3&right=nobody');
  await expect(page.getByRole('alert')).toContainText('no event');
});

test('a trace step by step, by the keyboard', async ({ page }) => {
  await signIn(page, 'auditor', `/logs/main/traces/${REFUND}?view=replay`);
  await expect(page.getByText(/^Step 1 of/)).toBeVisible();
  const before = await page.getByLabel('How far everything was').innerText();
  await page.keyboard.press('j');
  await expect(page.getByText(/^Step 2 of/)).toBeVisible();
  await expect(page).toHaveURL(/step=2/);
  expect(await page.getByLabel('How far everything was').innerText()).not.toBe(before);
  await page.getByRole('button', { name: 'Every event' }).click();
  await expect(page.getByText(/^Step 1 of 1\d/)).toBeVisible();
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('a search is narrowed by what it found, kept by name, and found again', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/explore?type=agent.tool_call');
  await page
    .getByRole('region', { name: 'Outcome' })
    .getByRole('link', { name: /denied/ })
    .click();
  await expect(page).toHaveURL(/outcome=denied/);
  await expect(page.locator('.event-row.denied').first()).toBeVisible();
  await page.getByText('Saved', { exact: true }).click();
  await page.getByLabel('Save as').fill('what was refused');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.goto('/logs/main/explore');
  await page.getByText('Saved', { exact: true }).click();
  await page.getByRole('link', { name: 'what was refused' }).click();
  await expect(page).toHaveURL(/outcome=denied/);
  const kept = await page.evaluate(() => localStorage.getItem('tachograph.views.main'));
  expect(kept).toBe('[{"name":"what was refused","query":"type=agent.tool_call&outcome=denied"}]');
});

test('columns are chosen, and stay chosen', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/explore');
  await page.getByText('Columns', { exact: true }).click();
  await page.getByLabel('Tokens').check();
  await expect(page.locator('.row-head').getByText('Tokens')).toBeVisible();
  await page.reload();
  await expect(page.locator('.row-head').getByText('Tokens')).toBeVisible();
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('button', { name: 'The usual ones' }).click();
  await expect(page.locator('.row-head').getByText('Tokens')).toHaveCount(0);
});

const hasSql = async (page: Page): Promise<boolean> => {
  const headers = { authorization: `Bearer ${tokenOf('auditor')}` };
  const answer = await page.request.get('http://127.0.0.1:7499/api/v1/logs/main', { headers });
  return ((await answer.json()) as { sql: boolean }).sql;
};

test('a server without SQL does not offer it, and says so to who asks', async ({ page }) => {
  test.skip(await hasSql(page), 'this server was built with SQL');
  await signIn(page, 'auditor', '/logs/main/explore');
  await expect(page.getByText(/events, as of/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'SQL' })).toHaveCount(0);
  await page.goto('/logs/main/explore?part=sql');
  await expect(page.getByText('This server was built without SQL.')).toBeVisible();
});

test('a statement is answered as a table, a chart, and files', async ({ page }) => {
  const isReal = await hasSql(page);
  const checkpoint = { origin: 'o', size: 9, root: '' };
  const rows = [
    ['process_refund', 2],
    ['<img src=x onerror=alert(1)>', 1],
  ];
  if (!isReal) {
    await page.route('**/api/v1/logs/main', async (route) => {
      const health = (await (await route.fetch()).json()) as object;
      await route.fulfill({ json: { ...health, sql: true } });
    });
    await page.route('**/api/v1/logs/main/sql**', (route) =>
      route.request().url().includes('format=csv')
        ? route.fulfill({ body: 'tool,calls\nprocess_refund,2\n', contentType: 'text/csv' })
        : route.fulfill({ json: { checkpoint, columns: ['tool', 'calls'], rows, truncated: false } }),
    );
  }
  const said = watch(page);
  await signIn(page, 'auditor', '/logs/main/explore');
  await page.getByRole('button', { name: 'SQL' }).click();
  await page.getByRole('button', { name: 'Run' }).click();
  await expect(page.getByRole('cell', { name: 'process_refund' })).toBeVisible();
  await page.getByRole('button', { name: 'Chart' }).click();
  await expect(page.getByRole('heading', { name: 'calls by tool' })).toBeVisible();
  await settled(page);
  await page.screenshot({ path: `${import.meta.dirname}/pictures/sql-chart.png` });
  expect(await accessibilityFaults(page)).toEqual([]);
  expect(await overflow(page)).toBeLessThanOrEqual(0);
  const { text } = await taken(page, () => page.getByRole('button', { name: 'CSV' }).click());
  expect(text).toContain('process_refund');
  // A link does not run a statement in the name of whoever follows it.
  await page.reload();
  await expect(page.getByRole('button', { name: 'Run' })).toBeVisible();
  await expect(page.getByRole('cell')).toHaveCount(0);
  expect(said).toEqual([]);
});

test('a control that fails leads to the events that are not as asked for', async ({ page }) => {
  await signIn(page, 'auditor', '/logs/main/reports?report=compliance-check');
  const failed = page
    .locator('.controls details[open]')
    .filter({ has: page.getByRole('link') })
    .first();
  await expect(failed).toContainText('fail');
  await failed.getByRole('link').first().click();
  await expect(page.getByRole('heading', { name: 'Event', exact: true })).toBeVisible();
  await page.goto('/logs/main/reports?report=compliance-check&pack=eu-ai-act');
  await expect(page.getByText('not assessable').first()).toBeVisible();
  expect(await accessibilityFaults(page)).toEqual([]);
});

test('controls are not answered for who may not see content', async ({ page }) => {
  await signIn(page, 'reader', '/logs/main/reports?report=compliance-check');
  await expect(page.getByText('Controls look into content')).toBeVisible();
});
