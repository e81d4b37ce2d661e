// What the tests share: signing in, and what must hold on every page.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, type Page } from '@playwright/test';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const REFUND = '5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6';

export const tokenOf = (role: string): string => {
  const tokens = JSON.parse(readFileSync(new URL('.tokens.json', import.meta.url), 'utf8')) as Record<string, string>;
  return tokens[role] ?? '';
};

/** What a browser says that no page may make it say: refusals of the policy, errors of the script. */
export function watch(page: Page): string[] {
  const said: string[] = [];
  page.on('pageerror', (error) => said.push(error.message));
  page.on('dialog', (dialog) => {
    said.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted|Refused/i.test(message.text())) said.push(message.text());
  });
  return said;
}

export async function signIn(page: Page, role = 'auditor', to = '/'): Promise<void> {
  await page.goto(to);
  await page.getByLabel('Token').fill(tokenOf(role));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.locator('header.top')).toBeVisible();
}

export async function settled(page: Page): Promise<void> {
  await expect(page.locator('.wait, .asking')).toHaveCount(0);
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

/** Serious and critical findings of axe-core, each with the first element that has it. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: {
        run: (
          what: unknown,
          how: unknown,
        ) => Promise<{
          violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run(document, { resultTypes: ['violations'] });
    return violations
      .filter((it) => it.impact === 'serious' || it.impact === 'critical')
      .map((it) => `${it.id}: ${it.nodes[0]?.target.join(' ') ?? ''}: ${it.nodes[0]?.failureSummary ?? ''}`);
  });
}

export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
