// Texts that attack whoever shows them, in every field of an event: nothing runs, nothing is refused by
// the policy because nothing tries, and the title stays ours.
import { readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { overflow, REFUND, settled, signIn, tokenOf, watch } from './helpers';

const payloads = JSON.parse(
  readFileSync(new URL('../../testdata/hostile/payloads.json', import.meta.url), 'utf8'),
) as string[];
const TRACE = 'trace-of-hostile-texts';

test('no text of an agent does anything but stand there', async ({ page }) => {
  test.setTimeout(400_000);
  const events = payloads.map((text, at) => ({
    event_type: 'agent.tool_call',
    agent_name: text,
    tool: text,
    action: text,
    source: text,
    on_behalf_of: text,
    approver: text,
    session_id: at % 7 === 0 ? text : 'session-of-hostile-texts',
    task_id: text,
    trace_id: TRACE,
    error_type: text,
    tags: [text],
    outcome: 'failure',
    params: { [text]: text },
    result: text,
    reasoning: text,
    error: { message: text },
    attributes: { [text]: text },
    model: { provider: text, requested: text },
    message: { role: text, content: text },
    input: text,
    output: text,
  }));
  const answer = await page.request.post('http://127.0.0.1:7499/api/v1/logs/main/events?ack=published', {
    headers: { authorization: `Bearer ${tokenOf('admin')}` },
    data: events,
  });
  const { accepted } = (await answer.json()) as { accepted: number };
  expect(accepted).toBeGreaterThan(payloads.length / 2);
  const said = watch(page);
  await signIn(page);
  const pages = [
    '/logs/main?range=all',
    '/logs/main/live',
    '/logs/main/explore?content=1',
    '/logs/main/agents',
    '/logs/main/sessions',
    `/logs/main/traces/${TRACE}`,
    `/logs/main/traces/${TRACE}?view=graph`,
    `/logs/main/traces/${TRACE}?view=conversation`,
    `/logs/main/traces/${TRACE}?view=replay&step=7`,
    `/logs/main/traces/${TRACE}?view=incident`,
    `/logs/main/compare?left=${TRACE}&right=${REFUND}`,
    '/logs/main/reports?report=error-analysis',
    '/logs/main/reports?report=agents',
    '/logs/main/reports?report=tool-usage',
  ];
  for (const address of pages) {
    await page.goto(address);
    await settled(page);
    expect
      .soft(await page.title(), address)
      .toMatch(/^(Overview|Live|Explore|Agents|Sessions|Trace|Reports|Compare) · Tachograph$/);
    expect.soft(await overflow(page), `${address} sticks out`).toBeLessThanOrEqual(0);
  }
  await page.goto(`/logs/main/explore?trace=${TRACE}`);
  // A key counts once the list is there.
  await expect(page.locator('.event-row').first()).toBeVisible();
  await settled(page);
  for (let at = 0; at < 40; at += 1) {
    await page.keyboard.press('j');
    await expect(page.locator('aside.detail .facts')).toBeVisible();
    await page.getByRole('tab', { name: 'Content' }).click();
  }
  expect(await page.evaluate(() => Object.keys(window).filter((name) => /^(xss|pwned|hacked)/i.test(name)))).toEqual(
    [],
  );
  expect(said).toEqual([]);
});
