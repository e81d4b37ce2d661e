// A step knows what its agent did and what led to it, and nothing of what others keep to themselves.
import { expect, test } from 'vitest';
import type { EventRecord, Trace } from '../api/types';
import { Replay } from './replay';

type Made = Partial<EventRecord> & { id: string; parent?: string };

function trace(made: Made[]): Trace {
  const events = made.map(({ id, parent, ...more }, index): EventRecord => ({
    index,
    event_id: id,
    recorded_at: '2026-11-02T14:00:00Z',
    tier: 'info',
    kind: 'event',
    state: 'present',
    ...(parent === undefined ? {} : { parent_event_id: parent }),
    ...more,
  }));
  return {
    checkpoint: { origin: 'o', size: events.length, root: '' },
    events,
    nodes: events.map((record) => ({
      id: record.event_id ?? '',
      label: '',
      type: record.event_type ?? '',
      agent: record.agent_name ?? '',
      index: record.index,
      status: '',
      depth: 0,
      offset_ms: 0,
      reordered: false,
    })),
    edges: made.flatMap((it) => (it.parent === undefined ? [] : { from: it.parent, to: it.id, kind: 'parent' })),
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
  };
}

const RUN = trace([
  { id: 'a', event_type: 'agent.invocation', agent_name: 'R', content: { input: 'please' } },
  { id: 'b', event_type: 'agent.retrieval', agent_name: 'S', parent: 'a', content: { result: 'doc' } },
  { id: 'x', event_type: 'agent.retrieval', agent_name: 'T', parent: 'a', content: { result: 'secret of T' } },
  { id: 'c', event_type: 'agent.tool_call', agent_name: 'S', parent: 'a', phase: 'intent', tokens: { total: 7 } },
  {
    id: 'd',
    event_type: 'agent.decision',
    agent_name: 'S',
    parent: 'a',
    content: { reasoning: 'so', params: { chosen: 1 }, result: 'done' },
  },
  { id: 'e', event_type: 'agent.decision', agent_name: 'S', parent: 'd' },
  { id: 'f', event_type: 'agent.decision', agent_name: 'U', parent: 'e', outcome: 'failure' },
]);

test('a step knows what its agent did and what led to it, and nothing of others', () => {
  const replay = new Replay(RUN, false);
  expect([replay.steps.length, replay.isOfDecisions]).toEqual([3, true]);
  const step = replay.step(0);
  expect(step?.input?.value).toBe('please');
  expect(step?.context.map((it) => it.value)).toEqual(['doc']);
  expect(step?.known.map((it) => it.event_id)).toEqual(['c']);
  expect(step?.reasoning.map((it) => it.value)).toEqual(['so']);
  expect(step?.own.map((it) => it.label)).toEqual(['params', 'result']);
  expect(replay.step(1)?.known.map((it) => it.event_id)).toEqual(['c', 'd']);
  // Another agent, three links below the question.
  const last = replay.step(2);
  expect([last?.input?.value, last?.context, last?.reasoning]).toEqual(['please', [], []]);
  expect(replay.step(3)).toBeUndefined();
});

test('without decisions, or on request, every event is a step', () => {
  expect(new Replay(RUN, true).steps).toHaveLength(7);
  const none = new Replay(trace([{ id: 'a', event_type: 'agent.message' }]), false);
  expect([none.steps.length, none.isOfDecisions]).toEqual([1, false]);
});

test('how far the trace was counts what had happened by then, and no later', () => {
  const replay = new Replay(RUN, true);
  const early = replay.progress(3);
  expect([early.events, early.errors, early.tokens, early.open.map((it) => it.event_id)]).toEqual([4, 0, 7, ['c']]);
  const late = replay.progress(6);
  expect([late.events, late.errors]).toEqual([7, 1]);
  expect(late.agents.map((it) => [it.name, it.record.event_id])).toEqual([
    ['R', 'a'],
    ['S', 'e'],
    ['T', 'x'],
    ['U', 'f'],
  ]);
});

test('links that lead in a circle or into the future end', () => {
  const circle = trace([
    { id: 'a', agent_name: 'A', parent: 'b' },
    { id: 'b', agent_name: 'B', parent: 'a' },
  ]);
  expect(new Replay(circle, true).step(1)?.known.map((it) => it.event_id)).toEqual(['a']);
});
