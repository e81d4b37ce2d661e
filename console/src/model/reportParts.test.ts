// Any report becomes figures and tables.
import { expect, test } from 'vitest';
import { cellText, partsOf, titleOf } from './reportParts';

test('numbers are figures, lists and counts are tables', () => {
  const { figures, parts } = partsOf({
    report: 'tool-usage',
    checkpoint: {},
    total_tool_calls: 12,
    error_rate: 0.0625,
    error_rate_text: '6.3%',
    tool_breakdown: [
      { tool: 'refund', calls: 2, p95_ms: 1500 },
      { tool: null, calls: 1, p95_ms: null },
    ],
    outcomes: { timeout: 2 },
    none: [],
  });
  expect(figures).toEqual([
    ['total_tool_calls', '12'],
    ['error_rate', '6.3 %'],
  ]);
  expect(parts.map((it) => [it.name, it.columns, [...it.numbers]])).toEqual([
    ['tool_breakdown', ['tool', 'calls', 'p95_ms'], ['calls', 'p95_ms']],
    ['outcomes', ['name', 'count'], ['count']],
  ]);
});

test('cells read as their names say', () => {
  expect([
    cellText(1500, 'p95_ms'),
    cellText(null, 'tool'),
    cellText([{ amount: '0.5', currency: 'USD' }], 'cost'),
    titleOf('p95_ms'),
  ]).toEqual(['1.50 s', '—', '0.5 USD', 'P95']);
});
