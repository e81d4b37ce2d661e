// What the live feed keeps: the newest rows, bounded, and what was missed between them.
import type { EventRecord } from '../api/types';

export type FeedRow = { key: number; record: EventRecord } | { key: number; missed: number };

/** Rows that are kept; older ones are a search away. */
export const ROWS_MAX = 20_000;

export class Feed {
  rows: FeedRow[] = [];
  /** Records seen since it began. */
  seen = 0;
  missed = 0;
  /** The index to go on behind. */
  last: number | undefined;
  #key = 0;

  add(record: EventRecord): void {
    // A feed that goes on may tell again what was there.
    if (this.last !== undefined && record.index <= this.last) return;
    this.seen += 1;
    this.last = record.index;
    this.#push({ key: (this.#key += 1), record });
  }

  miss(records: number): void {
    this.missed += records;
    this.#push({ key: (this.#key += 1), missed: records });
  }

  #push(row: FeedRow): void {
    this.rows.push(row);
    // Cut in large pieces: at thousands of rows a second one at a time would move them all each time.
    if (this.rows.length > ROWS_MAX * 1.25) this.rows = this.rows.slice(-ROWS_MAX);
  }
}
