// The rows of a statement as a chart: which column names the bars, which one measures them.
import type { Rows } from '../api/types';

export interface Bar {
  label: string;
  value: number;
}

export interface RowsChart {
  labelled: string;
  measured: string;
  bars: Bar[];
  /** Rows that are not drawn. */
  more: number;
  isOverTime: boolean;
}

export const BARS_MAX = 60;
const TIME = /^\d{4}-\d\d-\d\d([T ]|$)/;

/** Columns that hold numbers only, by their names. */
export function measures({ columns, rows }: Rows): string[] {
  const isNumber = (at: number): boolean =>
    rows.some((row) => typeof row[at] === 'number') &&
    rows.every((row) => row[at] === null || typeof row[at] === 'number');
  return columns.filter((_, at) => isNumber(at));
}

/** A chart of one measure; undefined when nothing is measured. */
export function chartOf(answer: Rows, wanted?: string): RowsChart | undefined {
  const numbers = measures(answer);
  // A query names what it groups by first and what it counts last.
  const measured = wanted !== undefined && numbers.includes(wanted) ? wanted : numbers.at(-1);
  if (measured === undefined) return undefined;
  const labelled = answer.columns.find((it) => !numbers.includes(it)) ?? answer.columns.find((it) => it !== measured);
  const [label, value] = [
    labelled === undefined ? -1 : answer.columns.indexOf(labelled),
    answer.columns.indexOf(measured),
  ];
  const bars = answer.rows.slice(0, BARS_MAX).map((row, at) => ({
    label: label < 0 ? String(at + 1) : textOf(row[label]),
    value: typeof row[value] === 'number' ? row[value] : 0,
  }));
  const isOverTime = bars.length > 1 && bars.every((bar) => TIME.test(bar.label));
  return { labelled: labelled ?? 'row', measured, bars, more: answer.rows.length - bars.length, isOverTime };
}

/** A value of a row as text. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
