// Nothing hides in a text.
import { expect, test } from 'vitest';
import { oneLine, visible } from './visible';

test('what turns or hides a text is shown by its number', () => {
  expect(visible('a\u202Eb\u200B\u0007')).toBe('a\\u{202e}b\\u{200b}\\u{7}');
  expect(visible('x\u{e0041}y')).toBe('x\\u{e0041}y');
});

test('ordinary text in any script stays', () => {
  expect(visible('Grüße, 東京\n\tok')).toBe('Grüße, 東京\n\tok');
  expect(oneLine(' a\n  b ')).toBe('a b');
});
