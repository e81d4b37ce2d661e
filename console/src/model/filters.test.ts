// A search survives being typed, put into an address, and read from it again.
import { expect, test } from 'vitest';
import { parametersOf, parseTyped, searchOf, typedOf } from './filters';

test('what is typed becomes filters and text', () => {
  expect(parseTyped('agent:Billing outcome:timeout tool:"send mail" gave "no answer"')).toEqual({
    agent: ['Billing'],
    outcome: ['timeout'],
    tool: ['send mail'],
    text: 'gave "no answer"',
  });
});

test('a name that is no filter stays text', () => {
  expect(parseTyped('https://example.org note:this')).toEqual({ text: 'https://example.org note:this' });
});

test('a search survives the address, and being typed again', () => {
  const search = parseTyped('agent:Billing agent:Support tool:"send mail" refund');
  expect(searchOf(parametersOf(search))).toEqual(search);
  expect(parseTyped(typedOf(search))).toEqual(search);
});

test('what else an address says is no filter', () => {
  expect(searchOf(new URLSearchParams('view=graph&agent=&order=oldest'))).toEqual({ order: 'oldest' });
});
