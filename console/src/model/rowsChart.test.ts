// A chart says what it draws, and draws nothing that is no number.
import { expect, test } from 'vitest';
import type { Rows } from '../api/types';
import { BARS_MAX, chartOf, measures } from './rowsChart';

const rows = (columns: string[], values: unknown[][]): Rows => ({
  checkpoint: { origin: 'o', size: 1, root: '' },
  columns,
  rows: values,
  truncated: false,
});

test('the first text names the bars, the last number measures them', () => {
  const answer = rows(
    ['tool', 'calls', 'errors'],
    [
      ['pay', 3, 1],
      [null, 2, null],
    ],
  );
  expect(measures(answer)).toEqual(['calls', 'errors']);
  expect(chartOf(answer)).toEqual({
    labelled: 'tool',
    measured: 'errors',
    bars: [
      { label: 'pay', value: 1 },
      { label: '', value: 0 },
    ],
    more: 0,
    isOverTime: false,
  });
  expect(chartOf(answer, 'calls')?.bars[0]?.value).toBe(3);
});

test('times make it a chart over time', () => {
  expect(
    chartOf(
      rows(
        ['day', 'n'],
        [
          ['2026-11-02', 1],
          ['2026-11-03', 2],
        ],
      ),
    )?.isOverTime,
  ).toBe(true);
});

test('without a number there is no chart', () => {
  expect(chartOf(rows(['tool'], [['pay']]))).toBeUndefined();
  expect(chartOf(rows(['n'], []))).toBeUndefined();
  expect(measures(rows(['mixed'], [[1], ['two']]))).toEqual([]);
});

test('of many rows the first are drawn, and how many are not is said', () => {
  const many = rows(
    ['n'],
    Array.from({ length: BARS_MAX + 5 }, (_, at) => [at]),
  );
  expect([chartOf(many)?.bars.length, chartOf(many)?.more]).toEqual([BARS_MAX, 5]);
});
