// Facets count what is there, bounded, and lead to a search and back.
import { expect, test } from 'vitest';
import type { EventRecord } from '../api/types';
import { facetsOf, toggled } from './facets';

const record = (more: Partial<EventRecord>): EventRecord => ({
  index: 0,
  recorded_at: '',
  tier: 'info',
  kind: 'event',
  state: 'present',
  ...more,
});

test('values are counted, the most frequent first, and what is nowhere has no facet', () => {
  const facets = facetsOf([
    record({ agent_name: 'B', outcome: 'success' }),
    record({ agent_name: 'A', outcome: 'timeout' }),
    record({ agent_name: 'A', action: 'call:pay', event_type: 'agent.tool_call' }),
    record({ kind: 'log', event_type: 'log.started' }),
  ]);
  expect(facets.map((it) => it.filter)).toEqual(['agent', 'type', 'outcome', 'tool']);
  expect(facets[0]?.values).toEqual([
    { value: 'A', count: 2 },
    { value: 'B', count: 1 },
  ]);
});

test('of many values the most frequent are listed, and how many more there are is said', () => {
  const events = Array.from({ length: 20 }, (_, at) => record({ agent_name: `agent ${at}` }));
  const [facet] = facetsOf(events);
  expect([facet?.values.length, facet?.more]).toEqual([8, 12]);
});

test('a value that is chosen twice is taken away', () => {
  const once = toggled({}, 'agent', 'A');
  expect(once).toEqual({ agent: ['A'] });
  expect(toggled(toggled(once, 'agent', 'B'), 'agent', 'A')).toEqual({ agent: ['B'] });
});
