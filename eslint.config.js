import { defineConfig, globalIgnores } from 'eslint/config'
import { existsSync } from 'node:fs'
import tseslint from 'typescript-eslint'

// A package of its own, whose types are there once it is installed.
const notInstalled = existsSync('examples/shop/cdk/node_modules') ? [] : ['examples/shop/cdk']

export default defineConfig(
  globalIgnores([
    'dist',
    '**/node_modules',
    'bench',
    '.emulators',
    '.databases',
    '**/cdk.out',
    'test/.cli-*',
    '**/*.js',
    ...notInstalled,
  ]),
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // On Lambda a forgotten promise is lost work.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A schema, a fetch map or a context may be declared as nothing at all.
      '@typescript-eslint/no-empty-object-type': ['error', { allowObjectTypes: 'always' }],
      // Middleware hooks and web streams are passed along, never called without their object.
      '@typescript-eslint/unbound-method': 'off',
      // A hook that is sometimes done at once and sometimes later says so: `void | Promise<void>`.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      // Handlers and backends are asynchronous by contract, whether or not they have to wait.
      '@typescript-eslint/require-await': 'off',
      'no-console': 'error',
      // Nothing to find: there are no enums (`erasableSyntaxOnly`).
      '@typescript-eslint/no-unsafe-enum-assignment': 'off',
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/cli/**'],
    rules: {
      // An import of a module reads all of its properties. Of `process` they open stdin and stdout and load Node's streams, of
      // `util` they load what hardly anybody calls: some milliseconds of each cold start.
      'no-restricted-imports': [
        'error',
        { name: 'node:process', message: 'Use the global process.' },
        { name: 'node:util', message: "Use process.getBuiltinModule('node:util')." },
      ],
    },
  },
  {
    files: ['examples/**', 'test/**', 'bench/**', 'scripts/**'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
    },
  },
  {
    // Compiled and never run: there are types to look at, and nothing to do.
    files: ['test/types/**'],
    rules: {
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
    },
  },
)
