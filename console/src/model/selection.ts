// What a hold or an erasure selects, in words: all of it must fit a record. And what somebody typed as such
// a selection.
import type { Select } from '../api/types';

export function selection(select: Record<string, unknown>): string {
  return Object.entries(select)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) =>
      /_ms$/.test(name) && typeof value === 'number'
        ? `${name.replace('_ms', '')} ${new Date(value).toISOString()}`
        : `${name} ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
    .join(', ');
}

/** By what records are selected, in the order in which it is offered. */
export const SELECTORS = [
  { id: 'session', label: 'Session' },
  { id: 'trace', label: 'Trace' },
  { id: 'agent', label: 'Agent' },
  { id: 'principal', label: 'Caller, or on whose behalf' },
  { id: 'event', label: 'Event id' },
  { id: 'from', label: 'Recorded from' },
  { id: 'to', label: 'Recorded before' },
] as const satisfies { id: keyof Select; label: string }[];

/** What was typed as a selection; undefined when nothing was, because that would select everything. */
export function selectOf(typed: (name: string) => string): Select | undefined {
  const select: Select = {};
  for (const { id } of SELECTORS) {
    const value = typed(id).trim();
    if (value !== '') select[id] = value;
  }
  return Object.keys(select).length === 0 ? undefined : select;
}
