// The graph of a trace: calls counted between whom they went, and circles harmless.
import { expect, test } from 'vitest';
import type { EventRecord, Trace } from '../api/types';
import { graphOf } from './graph';

const record = (index: number, agent: string, more: Partial<EventRecord> = {}): EventRecord => ({
  index,
  event_id: `e${index}`,
  agent_name: agent,
  recorded_at: '',
  tier: 'info',
  kind: 'event',
  state: 'present',
  ...more,
});
const trace = (events: EventRecord[]): Trace => ({ events }) as unknown as Trace;

test('agents call agents and tools, and errors are counted on the way', () => {
  const { boxes, lines, columns } = graphOf(
    trace([
      record(1, 'Router'),
      record(2, 'Billing', { parent_event_id: 'e1' }),
      record(3, 'Billing', { parent_event_id: 'e2', tool: 'refund', outcome: 'timeout' }),
      record(4, 'Billing', { parent_event_id: 'e2', tool: 'refund', outcome: 'denied' }),
    ]),
  );
  expect(boxes.map((it) => [it.name, it.column, it.errors, it.denied])).toEqual([
    ['Router', 0, 0, 0],
    ['Billing', 1, 1, 1],
    ['refund', 2, 1, 1],
  ]);
  expect(lines.map((it) => [it.from, it.to, it.count, it.errors])).toEqual([
    ['agent:Router', 'agent:Billing', 1, 0],
    ['agent:Billing', 'tool:refund', 2, 1],
  ]);
  expect(columns).toBe(3);
});

test('agents that call each other end', () => {
  const { boxes } = graphOf(
    trace([record(1, 'A'), record(2, 'B', { parent_event_id: 'e1' }), record(3, 'A', { parent_event_id: 'e2' })]),
  );
  expect(boxes.map((it) => it.column)).toEqual([0, 1]);
});
