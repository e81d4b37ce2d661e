// A choice of columns survives being kept, and nothing else is taken for one.
import { expect, test } from 'vitest';
import { USUAL_COLUMNS, columnsFrom, gridOf, narrowed, withColumn } from './columns';

test('a choice is kept in the order of the table', () => {
  expect(columnsFrom(JSON.stringify(['what', 'tool', 'time']))).toEqual(['time', 'tool', 'what']);
});

test('what is no choice gives the usual columns', () => {
  for (const kept of [null, '', '{', '[]', '["nothing"]', '["time","nothing"]', '7']) {
    expect(columnsFrom(kept)).toEqual(USUAL_COLUMNS);
  }
});

test('a column comes and goes, and the last one stays', () => {
  expect(withColumn(['time', 'what'], 'tool')).toEqual(['time', 'tool', 'what']);
  expect(withColumn(['time', 'what'], 'time')).toEqual(['what']);
  expect(withColumn(['what'], 'what')).toEqual(['what']);
});

test('beside an open event there are few, the last one among them', () => {
  expect(narrowed(['index', 'time', 'agent', 'type', 'outcome', 'tool', 'what'])).toEqual([
    'time',
    'agent',
    'type',
    'outcome',
    'what',
  ]);
  expect(narrowed(['index'])).toEqual(['index']);
});

test('one column takes what is left', () => {
  expect(gridOf(['index', 'tool'])).toBe('76px minmax(80px, 1fr)');
  expect(gridOf(['index', 'what'])).toBe('76px minmax(120px, 1fr)');
});
