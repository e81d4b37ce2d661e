// What the live feed keeps: the newest rows, bounded, and what was missed between them.
import type { EventRecord } from '../api/types';

export type FeedRow = { key: number; record: EventRecord } | { key: number; missed: number };

/** Rows that are kept; older ones are a search away. */
export const ROWS_MAX = 20_000;

/** Rows in the order in which they came. Bounded: cut in large pieces, because at thousands of rows a second
 *  one at a time would move them all each time. */
class Rows {
  all: FeedRow[] = [];

  push(row: FeedRow): void {
    this.all.push(row);
    if (this.all.length > ROWS_MAX * 1.25) this.all = this.all.slice(-ROWS_MAX);
  }
}

export class Feed {
  /** Records seen since it began. */
  seen = 0;
  missed = 0;
  /** The index to go on behind. */
  last: number | undefined;
  #key = 0;
  // Both are kept, so that showing the log's own records or not is no work for each row of each picture.
  readonly #every = new Rows();
  readonly #events = new Rows();

  /** What is shown: with the log's own records, or without. */
  rows(isOwnShown: boolean): FeedRow[] {
    return isOwnShown ? this.#every.all : this.#events.all;
  }

  add(record: EventRecord): void {
    // A feed that goes on may tell again what was there.
    if (this.last !== undefined && record.index <= this.last) return;
    this.seen += 1;
    this.last = record.index;
    const row = { key: (this.#key += 1), record };
    this.#every.push(row);
    if (record.kind !== 'log') this.#events.push(row);
  }

  miss(records: number): void {
    this.missed += records;
    const row = { key: (this.#key += 1), missed: records };
    this.#every.push(row);
    this.#events.push(row);
  }

  clear(): void {
    this.#every.all = [];
    this.#events.all = [];
  }
}
