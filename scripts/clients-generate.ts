import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { runProgram, toolCache } from './tool-cache.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const HELP = `Usage: npm run clients:generate -- [--only typescript,python] [--check] [--strict]

Writes the code of the clients that is generated from proto/ and committed, each by the buf.gen.yaml in its folder, with generators of
pinned versions that are kept in ${toolCache()} (UNDERSTUDY_TOOLS). Java generates its own when it is built.

--only    languages; default: all that have a buf.gen.yaml
--check   writes nothing, and ends with 1 where what is committed is not what proto/ says
--strict  takes a language whose toolchain is missing for a failure
`;

/** Finds the folders with the generators of a language; undefined, with a reason, where its toolchain is missing. */
type FindTools = (client: string) => Promise<readonly string[] | { readonly missing: string }>;

const GENERATORS: Readonly<Record<string, FindTools>> = {
  typescript: async () => [],
  python: async (client) => {
    const python = process.env['PYTHON'] ?? 'python3';
    if ((await runProgram(python, ['--version'])).code !== 0) return { missing: `${python} is not there` };
    return [await pythonTools(python, join(client, 'tools', 'requirements.txt'))];
  },
  // Its plugins are pinned in its own folder, for `go tool`.
  go: async () => ((await runProgram('go', ['version'])).code === 0 ? [] : { missing: 'go is not there' }),
};

/** Files that generators write, by their names; of them none may be left behind. */
const GENERATED = '**/*{_pb.js,_pb.d.ts,_pb2.py,_pb2.pyi,_pb2_grpc.py,_pb2_grpc.pyi,.pb.go}';
const NOT_OURS = /(?:^|\/)(?:node_modules|dist|build|\.[^/]+)\//;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: Object.keys(GENERATORS).join(',') },
      check: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  let failures = 0;
  for (const language of values.only.split(',')) {
    const said = await tryGenerate(language, values.check);
    process.stdout.write(`${language}: ${said.text}\n`);
    if (said.isWrong || (said.isSkipped && values.strict)) failures += 1;
  }
  return failures === 0 ? 0 : 1;
}

interface Said {
  readonly text: string;
  readonly isWrong?: boolean;
  readonly isSkipped?: boolean;
}

async function tryGenerate(language: string, checks: boolean): Promise<Said> {
  const client = join(ROOT, 'clients', language);
  const findTools = GENERATORS[language];
  if (findTools === undefined) return { text: 'is no language whose generated code is committed', isWrong: true };
  if (!existsSync(join(client, 'buf.gen.yaml'))) return { text: 'skipped, there is no buf.gen.yaml', isSkipped: true };
  const tools = await findTools(client);
  if ('missing' in tools) return { text: `skipped, ${tools.missing}`, isSkipped: true };
  const output = await mkdtemp(join(tmpdir(), 'understudy-generated-'));
  try {
    await generate(client, tools, output);
    const stale = await differences(client, output);
    if (stale.length === 0) return { text: 'as proto/ says' };
    if (checks)
      return { text: `stale, \`npm run clients:generate\` writes it anew: ${stale.join(', ')}`, isWrong: true };
    await generate(client, tools, client);
    for (const path of stale) if (!existsSync(join(output, path))) await rm(join(client, path), { force: true });
    return { text: `written: ${stale.join(', ')}` };
  } finally {
    await rm(output, { recursive: true, force: true });
  }
}

async function generate(client: string, tools: readonly string[], output: string): Promise<void> {
  const path = [...tools, join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter);
  const env = { ...process.env, PATH: path };
  const { code, printed } = await runProgram(join(ROOT, 'node_modules', '.bin', 'buf'), ['generate', '-o', output], {
    cwd: client,
    env,
  });
  if (code !== 0) throw new Error(`buf generate failed in ${client}: ${printed}`);
}

/** Returns the generated files that are missing in a client, differ there, or should not be there. */
async function differences(client: string, output: string): Promise<readonly string[]> {
  const [written, kept]: [string[], string[]] = [[], []];
  for await (const entry of glob('**/*', { cwd: output, withFileTypes: true })) {
    if (entry.isFile()) written.push(join(entry.parentPath, entry.name).slice(output.length + 1));
  }
  for await (const path of glob(GENERATED, { cwd: client })) if (!NOT_OURS.test(path)) kept.push(path);
  const textOf = (folder: string, path: string): Promise<string> =>
    readFile(join(folder, path), 'utf8').catch(() => '');
  const different: string[] = [];
  for (const path of written) {
    if ((await textOf(client, path)) !== (await textOf(output, path))) different.push(path);
  }
  return [...different, ...kept.filter((path) => !written.includes(path))].sort();
}

/** Makes a virtual environment of what a file pins, once for every content; returns the folder of its programs. */
async function pythonTools(python: string, requirements: string): Promise<string> {
  const pins = await readFile(requirements);
  const folder = join(toolCache(), `python-${createHash('sha256').update(pins).digest('hex').slice(0, 16)}`);
  const ready = join(folder, 'ready');
  if (existsSync(ready)) return join(folder, 'bin');
  await must(python, ['-m', 'venv', '--clear', folder]);
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
  await must(join(folder, 'bin', 'python'), install);
  await writeFile(ready, '');
  return join(folder, 'bin');
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, printed } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed: ${printed}`);
}

process.exitCode = await main();
