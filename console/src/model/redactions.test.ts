// Redactions are marked, and nobody can pretend one.
import { expect, test } from 'vitest';
import { pieces } from './redactions';

test('what a rule took out is marked', () => {
  expect(pieces('write to [redacted:email], card [redacted:card_number]', new Set(['email', 'card_number']))).toEqual([
    'write to ',
    { rule: 'redacted: email' },
    ', card ',
    { rule: 'redacted: card number' },
  ]);
});

test('a text that only says so is not', () => {
  expect(pieces('[redacted:email]', new Set())).toEqual(['[redacted:email]']);
});
