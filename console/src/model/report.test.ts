// Activity becomes columns without holes, and days where hours would be too many.
import { expect, test } from 'vitest';
import { columnsOf } from './report';

const hour = (text: string, events = 1, errors = 0) => ({ hour: text, events, errors });

test('hours in which nothing happened are there too', () => {
  const columns = columnsOf([hour('2026-11-02T14:00:00Z', 11, 2), hour('2026-11-02T17:00:00Z')]);
  expect(columns.map((it) => [it.label, it.value, it.errors])).toEqual([
    ['14:00', 11, 2],
    ['15:00', 0, 0],
    ['16:00', 0, 0],
    ['17:00', 1, 0],
  ]);
});

test('many hours become days', () => {
  const columns = columnsOf([
    hour('2026-11-02T14:00:00Z', 5),
    hour('2026-11-02T15:00:00Z', 6),
    hour('2026-11-30T00:00:00Z', 7),
  ]);
  expect(columns).toHaveLength(29);
  expect([columns[0]?.value, columns[28]?.value, columns[28]?.label]).toEqual([11, 7, '11-30']);
});

test('nothing gives nothing', () => {
  expect(columnsOf([])).toEqual([]);
});
