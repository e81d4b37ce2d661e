// The columns that a table of events can have, and which of them somebody chose.

export const COLUMNS = [
  { id: 'index', label: 'Index', width: '76px', isNumber: true },
  { id: 'time', label: 'Time (UTC)', width: '168px' },
  { id: 'agent', label: 'Agent', width: 'minmax(80px, 128px)' },
  { id: 'type', label: 'Type', width: 'minmax(90px, 176px)' },
  { id: 'outcome', label: 'Outcome', width: '96px' },
  { id: 'tool', label: 'Tool', width: 'minmax(80px, 128px)' },
  { id: 'error', label: 'Error', width: 'minmax(80px, 128px)' },
  { id: 'took', label: 'Took', width: '76px', isNumber: true },
  { id: 'tokens', label: 'Tokens', width: '76px', isNumber: true },
  { id: 'session', label: 'Session', width: 'minmax(90px, 160px)' },
  { id: 'trace', label: 'Trace', width: 'minmax(90px, 160px)' },
  { id: 'principal', label: 'Sent by', width: 'minmax(80px, 128px)' },
  { id: 'tier', label: 'Tier', width: '92px' },
  { id: 'what', label: 'What', width: 'minmax(120px, 1fr)' },
] as const satisfies { id: string; label: string; width: string; isNumber?: boolean }[];

export type Column = (typeof COLUMNS)[number]['id'];

export const USUAL_COLUMNS: readonly Column[] = ['index', 'time', 'agent', 'type', 'outcome', 'what'];
/** Columns beside an event that is open. */
const NARROW_MAX = 5;

const isColumn = (id: unknown): id is Column => COLUMNS.some((it) => it.id === id);

/** What somebody chose, as it was kept; the usual ones when it does not read as a choice. */
export function columnsFrom(kept: string | null): readonly Column[] {
  try {
    const chosen: unknown = JSON.parse(kept ?? '');
    const known = Array.isArray(chosen) ? COLUMNS.map((it) => it.id).filter((id) => chosen.includes(id)) : [];
    return known.length > 0 && Array.isArray(chosen) && chosen.every(isColumn) ? known : USUAL_COLUMNS;
  } catch {
    return USUAL_COLUMNS;
  }
}

/** The same choice with a column, or without it; one always stays. */
export function withColumn(chosen: readonly Column[], id: Column): readonly Column[] {
  const next = COLUMNS.map((it) => it.id).filter((it) => (it === id ? !chosen.includes(it) : chosen.includes(it)));
  return next.length === 0 ? chosen : next;
}

/** What fits beside an open event: without the index, and the first ones. */
export const narrowed = (chosen: readonly Column[]): readonly Column[] => {
  const rest = chosen.filter((id) => id !== 'index');
  return rest.length === 0 ? chosen : [...rest.slice(0, NARROW_MAX - 1), ...rest.slice(NARROW_MAX - 1).slice(-1)];
};

/** Their widths, as a grid has them; the last one takes what is left. */
export function gridOf(chosen: readonly Column[]): string {
  const widths = chosen.map((id) => COLUMNS.find((it) => it.id === id)?.width ?? 'auto');
  return chosen.includes('what') ? widths.join(' ') : [...widths.slice(0, -1), 'minmax(80px, 1fr)'].join(' ');
}
