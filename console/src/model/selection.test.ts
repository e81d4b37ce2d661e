// A selection says what it takes, and nothing typed selects nothing.
import { expect, test } from 'vitest';
import { selectOf, selection } from './selection';

const typed = (given: Record<string, string>) => selectOf((name) => given[name] ?? '');

test('what is typed becomes a selection, and what is empty is left out', () => {
  expect(typed({ session: ' session-7 ', trace: ' ', from: '2026-11-01' })).toEqual({
    session: 'session-7',
    from: '2026-11-01',
  });
});

test('nothing is never everything', () => {
  expect(typed({})).toBeUndefined();
  expect(typed({ session: '  ', other: 'x' })).toBeUndefined();
});

test('a selection reads as words, with its times', () => {
  expect(selection({ session: 's', from_ms: 0, agent: null })).toBe('session s, from 1970-01-01T00:00:00.000Z');
});
