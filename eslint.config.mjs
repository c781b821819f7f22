// Besides strict typing, this file holds the architecture: imports point one way, and only linux/ signals.
import tseslint from 'typescript-eslint';

// Each folder of src/ may import itself and the folders before it.
const layers = [
  ['linux', 'procfs', 'config'],
  ['container'],
  ['scan'],
  ['classify'],
  ['report'],
  ['reap'],
  ['http', 'cli'],
  ['daemon'],
];

/** @param {string} folder */
function forbiddenFor(folder) {
  if (folder === 'classify') return layers.flat().filter((other) => other !== 'classify');
  const level = layers.findIndex((layer) => layer.includes(folder));
  return layers.flatMap((layer, index) =>
    index > level || (index === level && folder !== 'cli') ? layer.filter((other) => other !== folder) : [],
  );
}

const layering = layers
  .flat()
  .filter((folder) => forbiddenFor(folder).length > 0)
  .map((folder) => ({
    files: [`src/${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: forbiddenFor(folder).flatMap((other) => [`**/${other}/**`]),
              message: `src/${folder} may not import this: imports point one way (eslint.config.mjs).`,
            },
          ],
        },
      ],
    },
  }));

export default tseslint.config(
  { ignores: ['dist', '.tap', 'node_modules', 'bench/results', 'test/fixtures'] },
  ...tseslint.configs.strictTypeChecked.map((config) => ({
    ...config,
    files: ['src/**/*.ts', 'test/**/*.ts'],
  })),
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      // A process is signalled through its pidfd (linux/pidfd.ts), never by number.
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.name='process'][property.name='kill']",
          message: 'signal a pidfd (linux/pidfd.ts)',
        },
      ],
      'max-lines': ['error', { max: 260, skipBlankLines: true, skipComments: true }],
    },
  },
  ...layering,
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-floating-promises': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      'no-restricted-syntax': [
        'error',
        ...[
          "CallExpression[callee.property.name='match'] > ArrayExpression:nth-child(2)",
          "CallExpression[callee.property.name='match'] > ObjectExpression:nth-child(2) ArrayExpression",
          "CallExpression[callee.property.name='match'] NewExpression[callee.name=/^(Set|Map)$/]",
          "CallExpression[callee.name='exactly'] ArrayExpression",
        ].map((selector) => ({ selector, message: 'matches longer ones, too: exactly(…), or t.same' })),
      ],
    },
  },
);
