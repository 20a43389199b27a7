// Owns: the rules of style that a machine can check.
// Must not know: layout; Prettier and clang-format do that.

import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

/** What Node gives plain scripts. */
const nodeGlobals = [
  ...[
    'process',
    'console',
    'performance',
    'Buffer',
    'URL',
    'AbortController',
    'AbortSignal',
    'structuredClone',
    'fetch',
  ],
  ...['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'TextDecoder', 'TextEncoder'],
]

export default defineConfig(
  globalIgnores([
    'dist/',
    'dist-test/',
    'dist-tools/',
    'build*/',
    'docs/api/',
    'prebuilds/',
    '.tap/',
    'test/fixtures/',
    'sample-output/',
  ]),
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'max-lines': ['warn', { max: 400 }],
      'no-console': 'error',
      'no-control-regex': 'off',
      'no-var': 'error',
      'object-shorthand': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['scripts/**', 'benchmarks/**', 'tools/**/*.mjs', '*.mjs'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
    rules: {
      'no-console': 'off',
      // These files run from top to bottom: a class or constant that a function uses must stand before the first call.
      'no-use-before-define': ['error', { functions: false }],
    },
  },
  {
    files: ['lib/**/*.ts', 'lib/**/*.cts', 'test/**/*.ts', 'test/**/*.cts', 'tools/**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: ['tsconfig.json', 'test/tsconfig.json', 'tools/tsconfig.json'] } },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        {
          ignoreRestSiblings: true,
          argsIgnorePattern: '^_',
          varsIgnorePattern: '^_',
          destructuredArrayIgnorePattern: '^_',
        },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    // .cts files are CommonJS: `import x = require()` and `export =` are their only forms under verbatimModuleSyntax.
    files: ['**/*.cts'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // tap's t.test() returns a promise that tap itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        { allowForKnownSafeCalls: [{ from: 'package', name: 'test', package: '@tapjs/test' }], ignoreVoid: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
)
