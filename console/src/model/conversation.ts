// A trace as people tell it: who said what, in the order in which it happened. Only what has words in it
// is a turn; tool calls and what came of them are turns of their agent.
import type { EventRecord } from '../api/types';
import { agentOf, happened, toolOf } from './record';

export interface Said {
  label: string;
  value: unknown;
}

export interface Turn {
  record: EventRecord;
  speaker: string;
  kind: 'asked' | 'said' | 'thought' | 'called' | 'failed';
  said: Said[];
}

const PARTS = ['input', 'message', 'messages', 'reasoning', 'params', 'result', 'output', 'error'] as const;

export function turnsOf(events: readonly EventRecord[]): Turn[] {
  const turns = events.flatMap((record): Turn[] => {
    const content = record.content ?? {};
    const said = PARTS.flatMap((label) => {
      const value = content[label];
      return value === undefined || value === null || value === '' ? [] : [{ label, value }];
    });
    if (said.length === 0) return [];
    return [{ record, speaker: agentOf(record), kind: kindOf(record, said), said }];
  });
  return turns.sort(
    (one, other) => compare(happened(one.record), happened(other.record)) || one.record.index - other.record.index,
  );
}

function kindOf(record: EventRecord, said: Said[]): Turn['kind'] {
  if (said.some((it) => it.label === 'error')) return 'failed';
  if (toolOf(record) !== undefined) return 'called';
  if (record.event_type === 'agent.invocation' || record.source === 'user') return 'asked';
  return said.every((it) => it.label === 'reasoning') ? 'thought' : 'said';
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
