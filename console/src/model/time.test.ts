// Times and lengths read as they should, at the edges too.
import { expect, test } from 'vitest';
import { ago, duration, moment } from './time';

test('a time is shown to the millisecond, in UTC', () => {
  expect(moment('2026-11-02T14:23:06.120000000Z')).toBe('2026-11-02 14:23:06.120');
  expect(moment('2026-11-02T14:23:06Z')).toBe('2026-11-02 14:23:06.000');
  expect(moment('not a time')).toBe('not a time');
});

test('a length of time has the unit that fits', () => {
  expect([0, 0.4, 300, 1_234, 45_000, 61_000, 3_700_000, 90_000_000].map(duration)).toEqual([
    '0 ms',
    '< 1 ms',
    '300 ms',
    '1.23 s',
    '45.0 s',
    '1 min 1 s',
    '1 h 2 min',
    '1.0 d',
  ]);
  expect(duration(null)).toBe('');
});

test('how long ago is as of a moment', () => {
  const now = Date.parse('2026-11-02T15:00:00Z');
  expect(ago('2026-11-02T14:57:30Z', now)).toBe('2 min ago');
  expect(ago('2026-11-02T15:00:00Z', now)).toBe('now');
});
