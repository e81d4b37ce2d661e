// A record is read as reports count it, and says what is striking.
import { expect, test } from 'vitest';
import type { EventRecord } from '../api/types';
import { ending, isError, redacted, summary, tone, toolOf } from './record';

const record = (more: Partial<EventRecord>): EventRecord => ({
  index: 1,
  recorded_at: '2026-11-02T14:23:06Z',
  tier: 'info',
  kind: 'event',
  state: 'present',
  event_type: 'agent.tool_call',
  ...more,
});

test('what a policy denied is no error, and stands out by itself', () => {
  const denied = record({ outcome: 'denied', error_type: 'PermissionError' });
  expect([isError(denied), tone(denied), ending(denied)]).toEqual([false, 'denied', 'denied']);
});

test('an error without an outcome is an error', () => {
  const named = record({ error_type: 'ValueError' });
  expect([isError(named), tone(named), ending(named)]).toEqual([true, 'bad', 'error']);
});

test('what was removed says so, whatever it was', () => {
  const gone = record({ state: 'erased', outcome: 'failure' });
  expect([tone(gone), ending(gone), summary(gone)]).toEqual(['muted', 'erased', 'This record was erased']);
});

test('the tool stands in the action where it is not named', () => {
  expect(toolOf(record({ action: 'tool_call:get_order' }))).toBe('get_order');
});

test('what is only the name of the policy is no redaction', () => {
  const some = record({
    redactions: [
      { path: 'input', rule: 'email', action: 'mask' },
      { path: '*', rule: 'policy', action: 'default' },
    ],
  });
  expect(redacted(some)).toHaveLength(1);
});
