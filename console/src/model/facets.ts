// What the events at hand have in common: for each filter its values, the most frequent first. They are
// counted over the events that were loaded, not over the log: whoever shows them says so.
import type { EventRecord } from '../api/types';
import type { Filter, Search } from './filters';
import { agentOf, toolOf } from './record';

export interface Facet {
  filter: Filter;
  label: string;
  values: { value: string; count: number }[];
  /** Values that are not listed. */
  more: number;
}

const VALUES_MAX = 8;

const SOURCES: [Filter, string, (record: EventRecord) => string | undefined][] = [
  ['agent', 'Agent', (it) => (it.kind === 'log' ? undefined : agentOf(it))],
  ['type', 'Type', (it) => it.event_type],
  ['outcome', 'Outcome', (it) => it.outcome],
  ['tool', 'Tool', toolOf],
  ['error_type', 'Error', (it) => it.error_type],
  ['session', 'Session', (it) => it.session_id],
];

export function facetsOf(events: readonly EventRecord[]): Facet[] {
  return SOURCES.flatMap(([filter, label, valueOf]): Facet[] => {
    const counts = new Map<string, number>();
    for (const record of events) {
      const value = valueOf(record);
      if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const sorted = [...counts].sort(([one, many], [other, few]) => few - many || (one < other ? -1 : 1));
    const values = sorted.slice(0, VALUES_MAX).map(([value, count]) => ({ value, count }));
    return values.length === 0 ? [] : [{ filter, label, values, more: sorted.length - values.length }];
  });
}

/** The same search with a value, or without it when it has it. */
export function toggled(search: Search, filter: Filter, value: string): Search {
  const now = search[filter] ?? [];
  return { ...search, [filter]: now.includes(value) ? now.filter((it) => it !== value) : [...now, value] };
}
