// What two traces share is laid side by side, and what differs is named; nothing else is.
import { expect, test } from 'vitest';
import type { EventRecord, Trace, TraceNode } from '../api/types';
import { differenceOf } from './difference';

interface Made {
  label: string;
  agent?: string;
  status?: string;
  tool?: string;
  took?: number;
}

const trace = (steps: Made[]): Trace => ({
  checkpoint: { origin: 'o', size: steps.length, root: '' },
  nodes: steps.map((step, index): TraceNode => ({
    id: `e${index}`,
    label: step.label,
    type: step.tool ? 'agent.tool_call' : 'agent.message',
    agent: step.agent ?? 'A',
    index,
    status: step.status ?? 'success',
    depth: 0,
    offset_ms: 0,
    reordered: false,
  })),
  events: steps.map((step, index): EventRecord => ({
    index,
    recorded_at: '',
    tier: 'info',
    kind: 'event',
    state: 'present',
    ...(step.tool ? { tool: step.tool, event_type: 'agent.tool_call' } : {}),
    ...(step.took === undefined ? {} : { duration_ms: step.took }),
  })),
  edges: [],
  totals: {
    events: 0,
    started_at: null,
    ended_at: null,
    duration_ms: null,
    errors: 0,
    costs: [],
    agents: [],
    tools: [],
  },
  findings: { unreadable: [], reordered: [], orphans: [], circles: [], gaps: [] },
});
const shape = (left: Made[], right: Made[]): string[] =>
  differenceOf(trace(left), trace(right)).rows.map(
    (row) => `${row.left?.node.label ?? '-'}|${row.right?.node.label ?? '-'}`,
  );
const labels = (...names: string[]): Made[] => names.map((label) => ({ label }));

test('the same trace has no difference', () => {
  const steps = labels('a', 'b', 'c');
  const found = differenceOf(trace(steps), trace(steps));
  expect([found.common, found.changed, found.onlyLeft, found.onlyRight]).toEqual([3, 0, 0, 0]);
});

test('a step that only one has stands alone, and what is around it is matched', () => {
  expect(shape(labels('a', 'b', 'c', 'd'), labels('a', 'x', 'c', 'd', 'e'))).toEqual([
    'a|a',
    'b|-',
    '-|x',
    'c|c',
    'd|d',
    '-|e',
  ]);
  expect(shape([], labels('a'))).toEqual(['-|a']);
});

test('a shared beginning and a shared end do not use a step twice', () => {
  expect(shape(labels('a', 'a'), labels('a', 'a', 'a'))).toHaveLength(3);
});

test('the same call with another end is one step that differs', () => {
  const found = differenceOf(
    trace([{ label: 'call', tool: 'refund', status: 'timeout', took: 9_000 }]),
    trace([{ label: 'call', tool: 'refund', status: 'success', took: 300 }]),
  );
  expect(found.rows[0]?.changes).toEqual([
    { field: 'status', left: 'timeout', right: 'success' },
    { field: 'took', left: '9.00 s', right: '300 ms' },
  ]);
});

test('another agent is another step', () => {
  expect(shape([{ label: 'a', agent: 'A' }], [{ label: 'a', agent: 'B' }])).toEqual(['a|-', '-|a']);
});

test('traces that are too long are matched by what is near, and that is said', () => {
  const many = Array.from({ length: 2_100 }, (_, at) => ({ label: `s${at}` }));
  const found = differenceOf(trace([{ label: 'x' }, ...many, { label: 'y' }]), trace([{ label: 'z' }, ...many]));
  expect([found.isApproximate, found.common]).toEqual([true, 2_100]);
});
