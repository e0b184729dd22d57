import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { toolCache } from '../../../scripts/tool-cache.ts';
import { command, missingTool } from '../languages/recipes.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BUF = join(ROOT, 'node_modules', '.bin', 'buf');

/** Has `protoc` read the contract, which it cannot where Google's own files are not installed with it. */
const ON_OUR_CONTRACT = [`-I${join(ROOT, 'proto')}`, `-o${devNull}`, join(ROOT, 'proto/understudy/v1/llm.proto')];

/** Where a snippet is run. */
export interface SnippetFolders {
  /** A new folder of its own. */
  readonly folder: string;
  /** Where the clients are. */
  readonly clients: string;
  /** What the conformance program of a language was built in: its environment or packages. */
  readonly built: (language: string) => Promise<string>;
}

/** How the snippets of a language are run. */
export interface SnippetRunner {
  /** What is missing of the toolchain; nothing where all is there. */
  missing(): string | undefined;
  /** Runs files, by their names, as a reader of the page would, and returns what was printed. */
  run(files: Readonly<Record<string, string>>, folders: SnippetFolders): Promise<string>;
}

/** By the language that a page names. A snippet that names no file has the name that is given here. */
export const SNIPPET_RUNNERS: Readonly<Record<string, SnippetRunner & { readonly file: string }>> = {
  ts: {
    file: 'snippet.ts',
    missing: () => undefined,
    run: async (files, { folder, built }) => {
      if (files['snippet.ts']?.includes("from 'understudy'")) {
        // The gateway as a library: from its source, as `npm run example` does it.
        await writeAll(folder, { ...files, 'package.json': '{ "type": "module" }' });
        const fromSource = join(ROOT, 'scripts', 'from-source.ts');
        await command(process.execPath, ['--import', fromSource, join(folder, 'snippet.ts')], ROOT);
        return 'ran as a library';
      }
      await symlink(join(await built('typescript'), 'node_modules'), join(folder, 'node_modules'));
      await writeAll(folder, { ...files, 'package.json': '{ "type": "module" }' });
      return command(process.execPath, ['snippet.ts'], folder);
    },
  },
  python: {
    file: 'snippet.py',
    missing: () => missingTool('python3', ['--version']),
    run: async (files, { folder, built }) => {
      await writeAll(folder, files);
      return command(join(await built('python'), 'bin', 'python'), ['snippet.py'], folder);
    },
  },
  go: {
    file: 'main.go',
    missing: () => missingTool('go', ['version']),
    run: async (files, { folder, clients, built }) => {
      await built('go');
      await writeAll(folder, files);
      const module = 'understudy.internal/understudy';
      await command('go', ['mod', 'init', 'snippet'], folder);
      await command(
        'go',
        ['mod', 'edit', `-require=${module}@v0.0.0`, `-replace=${module}=${join(clients, 'go')}`],
        folder,
      );
      await command('go', ['mod', 'tidy'], folder);
      return command('go', ['run', '.'], folder);
    },
  },
  java: {
    file: 'Snippet.java',
    missing: () => missingTool('java', ['-version']),
    run: async (files, { folder, clients, built }) => {
      await built('java');
      await writeAll(folder, files);
      const target = join(clients, 'java', 'target');
      return command('java', ['-cp', `${join(target, 'classes')}:${join(target, 'lib')}/*`, 'Snippet.java'], folder);
    },
  },
  cpp: {
    file: 'snippet.cpp',
    missing: () =>
      missingTool('g++', ['--version']) ??
      missingTool('grpc_cpp_plugin', ['--version'], 'there', true) ??
      missingTool('pkg-config', ['--exists', 'grpc++', 'protobuf'], 'there with grpc++ and protobuf'),
    run: async (files, { folder }) => {
      await writeAll(folder, files);
      await generate('cpp', folder);
      const sources = await readdir(join(folder, 'generated', 'cpp', 'understudy', 'v1'));
      const flags = await command('pkg-config', ['--cflags', '--libs', 'grpc++', 'protobuf'], folder);
      const ours = sources
        .filter((name) => name.endsWith('.cc') && !name.startsWith('admin'))
        .map((name) => join('generated/cpp/understudy/v1', name));
      const args = ['-std=c++17', '-O0', '-Igenerated/cpp', 'snippet.cpp', ...ours, '-o', 'snippet'];
      await command('g++', [...args, ...flags.trim().split(/\s+/)], folder);
      return command(join(folder, 'snippet'), [], folder);
    },
  },
  rust: {
    file: 'src/main.rs',
    missing: () =>
      missingTool('cargo', ['--version']) ?? missingTool('protoc', ON_OUR_CONTRACT, 'there with google/protobuf'),
    run: async (files, { folder }) => {
      await mkdir(join(folder, 'src'), { recursive: true });
      await writeAll(folder, files);
      await cp(join(ROOT, 'proto'), join(folder, 'proto'), { recursive: true });
      return command('cargo', ['run', '--quiet', '--target-dir', join(toolCache(), 'rust-target')], folder);
    },
  },
  ruby: {
    file: 'snippet.rb',
    missing: () =>
      missingTool('ruby', ['-e', 'require "grpc"']) ?? missingTool('grpc_ruby_plugin', ['--version'], 'there', true),
    run: async (files, { folder }) => {
      await writeAll(folder, files);
      await generate('ruby', folder);
      return command('ruby', ['snippet.rb'], folder);
    },
  },
};

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, code] of Object.entries(files)) await writeFile(join(folder, name), code);
}

/** Generates code by one of the templates, into `generated/` of a folder. */
async function generate(template: string, folder: string): Promise<void> {
  await command(BUF, ['generate', '--template', `clients/templates/${template}.buf.gen.yaml`, '-o', folder], ROOT);
}
