// A report's JSON as figures and tables, whatever its members are called.
import { count, percent } from './number';
import { duration, moment } from './time';

export interface Part {
  name: string;
  columns: string[];
  numbers: Set<string>;
  rows: Record<string, unknown>[];
}

/** What stands at the head of a page already, or twice. */
const HIDDEN = new Set(['report', 'checkpoint', 'period', 'records', 'trend']);
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function partsOf(report: Record<string, unknown>): { figures: [string, string][]; parts: Part[] } {
  const figures: [string, string][] = [];
  const parts: Part[] = [];
  for (const [name, value] of Object.entries(report)) {
    if (HIDDEN.has(name) || name.endsWith('_text')) continue;
    const rows = rowsOf(value);
    if (rows === undefined) figures.push([name, cellText(value, name)]);
    else if (rows.length > 0) parts.push(table(name, rows));
  }
  return { figures, parts };
}

function rowsOf(value: unknown): Record<string, unknown>[] | undefined {
  if (Array.isArray(value)) return value.map((it) => (isRecord(it) ? it : { value: it as unknown }));
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  if (entries.every(([, it]) => isRecord(it))) return entries.map(([name, it]) => ({ name, ...(it as object) }));
  if (entries.every(([, it]) => typeof it === 'number')) return entries.map(([name, it]) => ({ name, count: it }));
  return [value];
}

function table(name: string, rows: Record<string, unknown>[]): Part {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((it) => !it.endsWith('_text'));
  const isNumber = (column: string): boolean =>
    rows.every((row) => row[column] === null || row[column] === undefined || typeof row[column] === 'number');
  return { name, columns, numbers: new Set(columns.filter(isNumber)), rows };
}

export function cellText(value: unknown, name: string): string {
  if (value === null || value === undefined) return '—';
  if (typeof value === 'number') {
    if (/(_rate|_share)$/.test(name)) return percent(value);
    if (/_ms$/.test(name)) return duration(value);
    return Number.isInteger(value) ? count(value) : value.toFixed(3);
  }
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT/.test(value) ? moment(value) : value;
  if (Array.isArray(value)) return value.map((it) => cellText(it, name)).join(', ') || '—';
  return Object.entries(value)
    .filter(([key, it]) => !key.endsWith('_text') && it !== null)
    .map(([key, it]) =>
      key === 'amount' || key === 'currency' ? cellText(it, key) : `${titleOf(key).toLowerCase()} ${cellText(it, key)}`,
    )
    .join(' ');
}

export function titleOf(name: string): string {
  const words = name
    .replace(/_ms$/, '')
    .replaceAll('_', ' ')
    .replace(/^avg /, 'mean ')
    .replace(/\bp(\d\d)\b/, 'p$1');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
