// Acting on the life cycle: who may holds, releases and erases, each with a reason that stays; who may not is
// not offered it.
import { expect, test, type Page } from '@playwright/test';
import { accessibilityFaults, settled, signIn } from './helpers';

const picture = async (page: Page, name: string): Promise<void> => {
  await settled(page);
  await page.screenshot({ path: `${import.meta.dirname}/pictures/${name}.png` });
  expect(await accessibilityFaults(page), name).toEqual([]);
};

test('an operator holds records and releases them, with reasons', async ({ page }) => {
  await signIn(page, 'operator', '/logs/main/lifecycle?part=holds');
  await page.getByRole('button', { name: 'Hold records' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel(/^Why/).fill('case 2026-119');
  await dialog.getByRole('button', { name: 'Hold', exact: true }).click();
  await expect(dialog).toContainText('Say which records');
  await dialog.getByLabel('Session').fill('session-4');
  await picture(page, 'hold');
  await dialog.getByRole('button', { name: 'Hold', exact: true }).click();
  await expect(page.getByText('They are held.')).toBeVisible();
  const row = page.getByRole('row', { name: /case 2026-119/ });
  await expect(row).toContainText('session session-4');
  await row.getByRole('button', { name: /^Release/ }).click();
  await page.getByRole('dialog').getByLabel(/^Why/).fill('the case is closed');
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await expect(page.getByText(/is released/)).toBeVisible();
  await expect(row).toHaveCount(0);
});

test('an operator may not erase, an auditor may look only', async ({ page }) => {
  await signIn(page, 'operator', '/logs/main/lifecycle?part=erasures');
  await expect(page.getByText('Nothing was erased')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Erase records' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn(page, 'auditor', '/logs/main/lifecycle?part=holds');
  await expect(page.getByText('case 2026-118')).toBeVisible();
  await expect(page.getByRole('button', { name: /Hold records|Release/ })).toHaveCount(0);
});

test('erasing is asked for twice; what is held stays, and the refusal is told', async ({ page }) => {
  await signIn(page, 'admin', '/logs/main/lifecycle?part=erasures');
  await page.getByRole('button', { name: 'Erase records' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Session').fill('session-refund-7731');
  await dialog.getByLabel(/^Why/).fill('a request');
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await expect(dialog.getByRole('button', { name: 'Erase for good' })).toBeDisabled();
  await dialog.getByLabel(/^Type/).fill('erase');
  await picture(page, 'erase');
  await dialog.getByRole('button', { name: 'Erase for good' }).click();
  await expect(dialog.getByRole('alert')).toContainText('held');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('row', { name: /a request/ })).toContainText('refused');
});

test('content is erased for good, and the event says so', async ({ page }) => {
  await signIn(page, 'admin', '/logs/main/lifecycle?part=erasures');
  await page.getByRole('button', { name: 'Erase records' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Trace').fill('run-7');
  await dialog.getByLabel(/^Why/).fill('asked for by the person');
  await dialog.getByLabel(/^Legal ground/).fill('GDPR Article 17');
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await dialog.getByLabel(/^Type/).fill('erase');
  await dialog.getByRole('button', { name: 'Erase for good' }).click();
  await expect(page.getByText('They are gone from every file of the log.')).toBeVisible();
  await expect(page.getByRole('row', { name: /asked for by the person/ })).toContainText('trace run-7');
  await page.goto('/logs/main/events/run-7-0');
  await expect(page.getByText('The content of this record was erased')).toBeVisible();
});

test('a record that was erased as a whole is not taken for one that is left out', async ({ page }) => {
  await signIn(page, 'admin', '/logs/main/lifecycle?part=erasures');
  await page.getByRole('button', { name: 'Erase records' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Event id').fill('run-8-1');
  await dialog.getByLabel('What goes').selectOption('record');
  await dialog.getByLabel(/^Why/).fill('sent by mistake');
  await dialog.getByRole('button', { name: 'Go on' }).click();
  await dialog.getByLabel(/^Type/).fill('erase');
  await dialog.getByRole('button', { name: 'Erase for good' }).click();
  await expect(page.getByText('They are gone from every file of the log.')).toBeVisible();
  await page.goto('/logs/main/sessions/session-2');
  await expect(page.getByText('1 record of this session is not shown.')).toBeVisible();
  await expect(page.getByText(/The server says that it was erased/)).toBeVisible();
  await expect(page.getByText('leaves it out')).toHaveCount(0);
});
