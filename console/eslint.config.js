// The house rules that a machine can check: strict types, arrows between folders, and nothing that the
// content security policy would refuse at run time.
import js from '@eslint/js';
import globals from 'globals';
import ts from 'typescript-eslint';

const markup = ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'dangerouslySetInnerHTML', 'write'];

// Which folders a folder may not import: arrows run views -> hooks -> api, components -> theme; model
// imports neither the browser's parts nor Preact.
const walls = {
  model: ['**/api/client*', '**/hooks/**', '**/views/**', '**/components/**', 'preact', 'preact/*'],
  api: ['**/hooks/**', '**/views/**', '**/components/**', 'preact', 'preact/*'],
  hooks: ['**/views/**', '**/components/**'],
  components: ['**/views/**', '**/api/client*', '**/api/questions*'],
};

export default ts.config(
  { ignores: ['node_modules', 'src/api/schema.d.ts', 'e2e/pictures'] },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-definitions': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-restricted-properties': ['error', ...markup.map((property) => ({ property }))],
      'no-restricted-globals': ['error', { name: 'fetch', message: 'only src/api/client.ts asks' }],
      'no-eval': 'error',
    },
  },
  ...Object.entries(walls).map(([folder, group]) => ({
    files: [`src/${folder}/**/*.{ts,tsx}`],
    rules: { 'no-restricted-imports': ['error', { patterns: [{ group }] }] },
  })),
  { files: ['src/api/client.ts', 'src/hooks/checker.ts'], rules: { 'no-restricted-globals': 'off' } },
  { files: ['dev/**/*.mjs', 'e2e/**/*.mjs', 'eslint.config.js'], languageOptions: { globals: globals.node } },
);
