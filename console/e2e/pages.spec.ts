// Every page, light and dark, wide and narrow: nothing sticks out, nothing is refused by the policy, no
// serious finding of axe-core; and a picture to look at.
import { expect, test } from '@playwright/test';
import { accessibilityFaults, overflow, REFUND, settled, signIn, watch } from './helpers';

const PAGES: [string, string][] = [
  ['overview', '/logs/main?range=all'],
  ['live', '/logs/main/live'],
  ['explore', '/logs/main/explore'],
  ['explore-event', '/logs/main/explore?outcome=timeout&event_at=8'],
  ['explore-empty', '/logs/main/explore?agent=nobody'],
  ['event', '/logs/main/events/8'],
  ['trace', `/logs/main/traces/${REFUND}`],
  ['trace-graph', `/logs/main/traces/${REFUND}?view=graph`],
  ['trace-conversation', `/logs/main/traces/${REFUND}?view=conversation`],
  ['trace-replay', `/logs/main/traces/${REFUND}?view=replay&step=2`],
  ['trace-incident', `/logs/main/traces/${REFUND}?view=incident`],
  ['trace-evidence', `/logs/main/traces/${REFUND}?view=evidence`],
  ['compare', '/logs/main/compare?left=run-3&right=run-4'],
  ['compare-none', '/logs/main/compare'],
  ['explore-sql', '/logs/main/explore?part=sql'],
  ['sessions', '/logs/main/sessions'],
  ['session', '/logs/main/sessions/session-refund-7731'],
  ['agents', '/logs/main/agents'],
  ['agent', '/logs/main/agents/Billing'],
  ['reports', '/logs/main/reports?report=tool-usage'],
  ['compliance', '/logs/main/reports?report=compliance-check'],
  ['integrity', '/logs/main/integrity'],
  ['retention', '/logs/main/lifecycle'],
  ['holds', '/logs/main/lifecycle?part=holds'],
  ['erasures', '/logs/main/lifecycle?part=erasures'],
  ['tokens', '/logs/main/lifecycle?part=tokens'],
  ['nowhere', '/logs/main/nowhere'],
  ['no-log', '/logs/other'],
];

test('every page reads well', async ({ page }, { project }) => {
  test.setTimeout(600_000);
  const said = watch(page);
  await page.goto('/');
  await expect(page.getByRole('link', { name: 'Sign in with Example' })).toBeVisible();
  await page.screenshot({ path: `${import.meta.dirname}/pictures/${project.name}/sign-in.png` });
  expect(await accessibilityFaults(page), 'sign-in').toEqual([]);
  await signIn(page);
  for (const [name, address] of PAGES) {
    await page.goto(address);
    await expect(page.locator('header.top')).toBeVisible();
    await settled(page);
    await page.screenshot({ path: `${import.meta.dirname}/pictures/${project.name}/${name}.png` });
    expect.soft(await overflow(page), `${name} sticks out`).toBeLessThanOrEqual(0);
    expect.soft(await accessibilityFaults(page), name).toEqual([]);
  }
  expect(said).toEqual([]);
});
