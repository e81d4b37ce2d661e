// The feed is bounded, shows nothing twice, and loses nothing silently.
import { expect, test } from 'vitest';
import type { EventRecord } from '../api/types';
import { Feed, ROWS_MAX } from './feed';

const record = (index: number): EventRecord => ({
  index,
  recorded_at: '',
  tier: 'info',
  kind: 'event',
  state: 'present',
});

test('what is told again after a reconnection is shown once', () => {
  const feed = new Feed();
  [1, 2, 2, 1, 3].forEach((index) => feed.add(record(index)));
  expect([feed.seen, feed.last, feed.rows(true).length]).toEqual([3, 3, 3]);
});

test('what was missed is a row of its own', () => {
  const feed = new Feed();
  feed.add(record(1));
  feed.miss(40);
  expect(feed.rows(true)[1]).toEqual({ key: 2, missed: 40 });
});

test('a feed of any length is bounded', () => {
  const feed = new Feed();
  for (let index = 0; index < ROWS_MAX * 3; index += 1) feed.add(record(index));
  expect(feed.rows(true).length).toBeLessThanOrEqual(ROWS_MAX * 1.25);
  expect(feed.seen).toBe(ROWS_MAX * 3);
});

test("the log's own records are among the rows only when they are wanted", () => {
  const feed = new Feed();
  feed.add(record(1));
  feed.add({ ...record(2), kind: 'log' });
  feed.miss(3);
  expect([feed.rows(true).length, feed.rows(false).length]).toEqual([3, 2]);
  feed.clear();
  expect([feed.rows(true), feed.rows(false), feed.seen]).toEqual([[], [], 2]);
});
