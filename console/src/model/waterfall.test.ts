// Rows of a trace, and what is missing in it.
import { expect, test } from 'vitest';
import type { EventRecord } from '../api/types';
import { openIntents, ticks } from './waterfall';

const record = (index: number, more: Partial<EventRecord>): EventRecord => ({
  index,
  event_id: `e${index}`,
  recorded_at: '',
  tier: 'info',
  kind: 'event',
  state: 'present',
  ...more,
});

test('an intent without an outcome is found, one with an outcome is not', () => {
  const events = [
    record(1, { phase: 'intent' }),
    record(2, { phase: 'result', parent_event_id: 'e1' }),
    record(3, { phase: 'intent' }),
    record(4, { phase: 'intent', attributes: { call_id: 'c' } }),
    record(5, { phase: 'result', attributes: { call_id: 'c' } }),
  ];
  expect([...openIntents(events)]).toEqual([3]);
});

test('an observation that belongs under an intent is no outcome', () => {
  expect([
    ...openIntents([record(1, { phase: 'intent' }), record(2, { phase: 'observation', parent_event_id: 'e1' })]),
  ]).toEqual([1]);
});

test('a scale has round ticks', () => {
  expect(ticks(34_100)).toEqual([0, 10_000, 20_000, 30_000]);
  expect(ticks(1)).toEqual([0, 0.2, 0.4, 0.6000000000000001, 0.8, 1]);
});
