import { readdirSync } from 'node:fs';

import { defineConfig } from 'oxlint';

import packageJson from './package.json' with { type: 'json' };

/** What a room may import. A name is a folder of `src/`, or of a folder there (`server/port`); `gen` is the contract. */
interface Room {
  readonly files?: string;
  readonly imports: readonly string[];
  /** Types alone. */
  readonly types?: readonly string[];
  readonly packages?: readonly string[];
  readonly typesOfPackages?: readonly string[];
}

const SDKS = ['openai', '@anthropic-ai/sdk'];
const OPEN_TELEMETRY = Object.keys(packageJson.dependencies).filter((name) => name.startsWith('@opentelemetry/'));

/** The import table of docs/architecture.md, which a test holds to this one. */
export const ROOMS: Readonly<Record<string, Room>> = {
  core: { imports: [] },
  files: { imports: ['core'], packages: ['node:'] },
  engine: { imports: ['core'] },
  providers: { imports: ['core', 'gen'], packages: ['@bufbuild/protobuf'], typesOfPackages: SDKS },
  'structured-output': { imports: ['core', 'gen'], packages: ['@bufbuild/protobuf', 'ajv', 'node:'] },
  pricing: {
    imports: ['core', 'gen'],
    types: ['engine/port'],
    packages: ['@bufbuild/protobuf'],
    typesOfPackages: ['@pydantic/genai-prices'],
  },
  mock: { imports: ['core', 'structured-output'] },
  upstream: {
    imports: ['core'],
    types: ['providers/port', 'gen'],
    packages: ['undici', 'eventsource-parser', 'node:', ...SDKS],
  },
  config: { imports: ['core', 'files', 'gen', 'pricing'], types: ['engine'], packages: ['zod', 'yaml', 'node:'] },
  callers: { imports: ['core', 'files'], types: ['config'], packages: ['jose', '@redis/client', 'node:'] },
  ledger: { imports: ['core', 'config'], packages: ['pg', 'node:'] },
  telemetry: {
    imports: ['core', 'gen'],
    types: ['engine', 'server/port', 'callers/port', 'ledger/port', 'config/port'],
    packages: ['prom-client', ...OPEN_TELEMETRY, 'node:'],
  },
  server: {
    imports: ['core', 'files', 'gen', 'structured-output'],
    types: ['engine', 'config', 'callers/port', 'ledger/port'],
    packages: ['@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node', '@grpc/grpc-js', 'node:'],
  },
  targets: { imports: ['core', 'providers', 'upstream', 'mock'], types: ['config', 'engine'] },
  'request-plan': {
    imports: ['core', 'gen', 'engine', 'pricing', 'providers', 'structured-output'],
    types: ['config', 'server/port', 'targets'],
    packages: ['@bufbuild/protobuf'],
  },
  catalogue: {
    imports: ['core', 'gen', 'pricing', 'providers'],
    types: ['config', 'engine', 'targets'],
    packages: ['@bufbuild/protobuf'],
  },
  wiring: {
    imports: ['core', 'engine', 'pricing', 'targets', 'request-plan', 'catalogue'],
    types: ['config', 'server/port', 'callers/port', 'gen'],
  },
  cli: {
    imports: ['core', 'config', 'telemetry', 'gen'],
    packages: ['commander', '@bufbuild/protobuf', '@connectrpc/connect', '@connectrpc/connect-node', 'node:'],
  },
  system: { files: 'src/system.ts', imports: ['core'], packages: ['node:'] },
  'wire-gateway': {
    files: 'src/wire-gateway.ts',
    imports: ['*', 'system'],
    packages: ['@pydantic/genai-prices'],
    typesOfPackages: ['@connectrpc/connect'],
  },
  gateway: { files: 'src/gateway.ts', imports: ['wire-gateway', 'config', 'server', 'system'], types: ['core'] },
  index: { files: 'src/index.ts', imports: ['gateway', 'config'], types: ['server'] },
  serve: {
    files: 'src/serve.ts',
    imports: ['wire-gateway', 'config', 'files', 'server', 'system', 'cli'],
    packages: ['node:'],
  },
  main: { files: 'src/main.ts', imports: ['serve', 'cli', 'config', 'system'], packages: ['node:'] },
};

const isFile = (room: string): boolean => ROOMS[room]?.files !== undefined;
const FOLDERS = [...Object.keys(ROOMS).filter((room) => !isFile(room)), 'gen'];
const ROOT_FILES = Object.keys(ROOMS).filter(isFile);
const PACKAGES = [...Object.keys(packageJson.dependencies), 'node:'];
const TABLE = 'The import table of docs/architecture.md';

/** Returns what stands beside a room in its folder: the rooms and files that may not be imported where it may. */
function besides(room: string): readonly string[] {
  const [folder = '', allowed] = room.split('/');
  if (allowed === undefined) return [];
  return readdirSync(new URL(`src/${folder}`, import.meta.url))
    .filter((name) => name !== allowed)
    .map((name) => `${folder}/${name}`);
}

/** Makes the patterns that hold a room to its row. */
function patternsOf(name: string, { imports, types = [], packages = [], typesOfPackages = [] }: Room) {
  const folders = FOLDERS.filter((folder) => folder !== name && !imports.includes(folder) && !imports.includes('*'));
  const isTypes = (folder: string): boolean => types.some((room) => room === folder || room.startsWith(`${folder}/`));
  const forbidden = [
    ...folders.filter((folder) => !isTypes(folder)).map((folder) => `${folder}/`),
    ...types.flatMap(besides),
    ...ROOT_FILES.filter((file) => file !== name && !imports.includes(file) && !types.includes(file)).map(
      (file) => `${file}[.]ts$`,
    ),
  ];
  const strangers = PACKAGES.filter((entry) => !packages.includes(entry) && !typesOfPackages.includes(entry));
  const from = (paths: readonly string[]): string => `^([.][.]?/)+(${paths.join('|')})`;
  const ofPackages = (entries: readonly string[]): string =>
    `^(${entries.map((entry) => (entry.endsWith(':') ? entry : `${entry}(/|$)`)).join('|')})`;
  const message = `${TABLE} does not allow this import here.`;
  const onlyTypes = { allowTypeImports: true, message: `${TABLE} allows types alone here.` };
  return [
    ...(forbidden.length === 0 ? [] : [{ regex: from(forbidden), message }]),
    ...(strangers.length === 0 ? [] : [{ regex: ofPackages(strangers), message }]),
    ...(types.length === 0 ? [] : [{ regex: from(types.map((room) => `${room}/`)), ...onlyTypes }]),
    ...(typesOfPackages.length === 0 ? [] : [{ regex: ofPackages(typesOfPackages), ...onlyTypes }]),
  ];
}

function restricted(name: string, room: Room): ['error', { patterns: ReturnType<typeof patternsOf> }] {
  return ['error', { patterns: patternsOf(name, room) }];
}

const TIME = 'Time and chance come from the Runtime; only src/system.ts names them.';

export default defineConfig({
  plugins: ['typescript', 'import', 'unicorn', 'oxc', 'promise'],
  categories: { correctness: 'error', suspicious: 'error', perf: 'error' },
  options: { typeAware: true },
  ignorePatterns: ['gen/**', 'dist/**', 'clients/*/gen/**', 'clients/*/dist/**'],
  rules: {
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/consistent-type-imports': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'import/no-cycle': ['error', { ignoreTypes: false }],
    'import/no-default-export': 'error',
    'no-console': 'error',
    'no-shadow': 'off',
    'no-await-in-loop': 'off',
    'no-underscore-dangle': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'promise/always-return': 'off',
    'typescript/consistent-return': 'off',
    'import/no-named-as-default-member': 'off',
  },
  overrides: [
    {
      files: ['test/**', 'clients/*/test/**', 'bench/**', 'examples/**'],
      rules: {
        'typescript/unbound-method': 'off',
        'promise/no-promise-in-callback': 'off',
        'no-console': 'off',
      },
    },
    { files: ['*.config.ts', 'clients/*/*.config.ts'], rules: { 'import/no-default-export': 'off' } },
    {
      files: ['src/**'],
      rules: {
        'no-restricted-globals': [
          'error',
          ...['Date', 'setTimeout', 'setInterval', 'setImmediate', 'performance'].map((name) => ({
            name,
            message: TIME,
          })),
        ],
        'no-restricted-properties': [
          'error',
          { object: 'Math', property: 'random', message: 'Chance comes from the Runtime.' },
          { object: 'AbortSignal', property: 'timeout', message: 'Time comes from the Runtime.' },
        ],
      },
    },
    // A browser runs it.
    { files: ['src/server/status/page/**'], rules: { 'no-restricted-globals': 'off' } },
    { files: ['src/system.ts'], rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' } },
    ...Object.entries(ROOMS).map(([name, room]) => ({
      files: [room.files ?? `src/${name}/**`],
      rules: { 'typescript/no-restricted-imports': restricted(name, room) },
    })),
  ],
});
