import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

// Joins what tsc has compiled, and the packages that it needs, to a few files in dist/bundle, and has dist/src/main.js start these
// (docs/adr/0042-the-program-starts-from-few-files.md). Programs that import the package get its modules as they are.

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
const BUNDLE = join(DIST, 'bundle');
const MAIN = join(DIST, 'src/main.js');
const STARTER = "import '../bundle/main.js';\n";

/**
 * What is not joined: an addon that nobody has installed, what only the service that counts channels needs, and the one package with the first
 * words of a private key in it, for which release checks look.
 */
const LEFT_OUT = ['pg-native', '@grpc/proto-loader', 'jose'];

const PLACE = 'import.meta.url';

/** What is used of undici, whose index loads four times as much: a fetch, caches, mocks. */
const UNDICI = {
  index: /\/node_modules\/undici\/index\.js$/,
  code: `module.exports = {
    Agent: require('./lib/dispatcher/agent'),
    Client: require('./lib/dispatcher/client'),
    Pool: require('./lib/dispatcher/pool'),
    buildConnector: require('./lib/core/connect'),
    errors: require('./lib/core/errors'),
  };`,
};

/** One character outside ASCII doubles what V8 keeps of a file, as Node reads it. None stands in a raw template, where an escape would be read as text. */
const WIDE = /[^\0-\x7F]/g;

interface PackageFacts {
  readonly version: string;
  readonly license: string;
}

async function main(): Promise<void> {
  const bundle = await rolldown({
    input: { main: MAIN },
    platform: 'node',
    external: LEFT_OUT,
    plugins: [
      { name: 'places', transform: (code, id) => keepPlace(code, id) },
      { name: 'undici', load: (id) => (UNDICI.index.test(id) ? UNDICI.code : undefined) },
      {
        name: 'narrow',
        // Not before: what writes the code of a chunk takes escapes back.
        generateBundle: (_options, files) => {
          for (const file of Object.values(files))
            if (file.type === 'chunk') file.code = file.code.replace(WIDE, escaped);
        },
      },
    ],
  });
  // Lines and names stay, so that a stack says where something was thrown.
  const { output } = await bundle.write({
    dir: BUNDLE,
    format: 'esm',
    comments: false,
    minify: { compress: false, mangle: false, codegen: { removeWhitespace: false } },
  });
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  writeFileSync(join(BUNDLE, 'licences.json'), `${JSON.stringify(licencesOf(modules), null, 2)}\n`);
  writeFileSync(MAIN, STARTER);
}

/** What lies beside a module of ours, a page or a worker, is still looked for there. */
function keepPlace(code: string, path: string): string | undefined {
  if (!path.startsWith(DIST) || !code.includes(PLACE)) return undefined;
  return code.replaceAll(PLACE, `new URL(${JSON.stringify(relative(BUNDLE, path))}, ${PLACE}).href`);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** The licence of each package that modules come from, with its text where the package has one. */
function licencesOf(modules: readonly string[]): Readonly<Record<string, object>> {
  const folders = new Set(modules.flatMap((path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []));
  const entries = [...folders].map((folder) => {
    const name = folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length);
    const { version, license }: PackageFacts = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? {} : { text: readFileSync(join(folder, file), 'utf8') };
    return [name, { version, license, ...text }] as const;
  });
  return Object.fromEntries(entries.toSorted(([one], [other]) => one.localeCompare(other)));
}

if (!existsSync(MAIN) || readFileSync(MAIN, 'utf8') === STARTER) throw new Error('compile first: npm run build');
await main();
