// A file's name is plain, whatever an id is.
import { expect, test } from 'vitest';
import { fileName } from './fileName';

test('an id becomes part of a plain name', () => {
  expect(fileName(['main', 'evidence', 'session-refund-7731'], 'html')).toBe('main-evidence-session-refund-7731.html');
  expect(fileName(['main', 'evidence', '../../etc/passwd\u202egpj.exe'], 'html')).toBe(
    'main-evidence-etc_passwd_gpj_exe.html',
  );
  expect(fileName(['main', '***'], 'pdf')).toBe('main.pdf');
  expect(fileName(['x'.repeat(500)], 'zip')).toHaveLength(84);
});
