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

/** From the roof to the ground: a file of lib/ imports from its own room and from the floors beneath. */
const floors = [
  ['cli', 'index'],
  ['video-depth'],
  ['video', 'stream'],
  ['engine'],
  ['prepare'],
  ['evaluate', 'cuts'],
  ['io/live'],
  ['io/sources', 'io/sinks'],
  ['io', 'plan'],
  ['native', 'cache'],
  ['base'],
]

/** Files of lib/ itself are rooms, too. Rooms within `io` import from each other by names without it. */
const pathsOf = (room) =>
  ['index', 'video-depth'].includes(room) ? [`**/${room}.js`] : [`**/${room}/**`, `**/${room.split('/').at(-1)}/**`]

const directions = floors.flatMap((rooms, floor) =>
  rooms.map((room) => {
    const above = floors.slice(0, floor).flat()
    const beside = rooms.filter((other) => other !== room)
    const forbidden = [...above, ...beside].filter((other) => !room.startsWith(`${other}/`))
    return {
      files: [room === 'io' ? 'lib/io/*.ts' : `lib/${room}/**/*.ts`, `lib/${room}.ts`],
      rules: {
        'no-restricted-imports': [
          'error',
          {
            patterns: [
              {
                group: [...new Set(forbidden.flatMap(pathsOf))],
                message: `lib/${room} may import from its own room and from the floors beneath it alone.`,
              },
            ],
          },
        ],
      },
    }
  }),
)

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
    files: ['scripts/**', 'benchmarks/**', 'examples/**', 'tools/**/*.mjs', '*.mjs'],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, 'readonly'])) },
    rules: {
      'no-console': 'off',
      // These files run from top to bottom: a class or constant that a function uses must stand before the first call.
      'no-use-before-define': ['error', { functions: false }],
    },
  },
  {
    // They begin before anything is installed; prebuild.mjs runs after that.
    files: ['scripts/**'],
    ignores: ['scripts/prebuild.mjs'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\.|node:)',
              message: 'Scripts set up a fresh clone: import a package with `await import()`, after set-up.',
            },
          ],
        },
      ],
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
  ...directions.filter(({ rules }) => rules['no-restricted-imports'][1].patterns[0].group.length > 0),
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
