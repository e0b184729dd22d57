import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';

import { pairsOf, type Stage, wordsOf } from './stages.ts';

/** What a built image is: its files and how it is run. */
export interface BuiltImage {
  /** The folder with all of its files. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: ReadonlyMap<string, string>;
  readonly folder: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
}

/** What is built from what. */
export interface BuildPlan {
  readonly stages: readonly Stage[];
  /** The folder whose files `COPY` takes. */
  readonly context: string;
  /** Where all files go. */
  readonly work: string;
  /** The Node that stands for that of the base image. */
  readonly node: string;
}

/** A stage while it is built. */
interface Layer {
  readonly root: string;
  environment: Record<string, string>;
  readonly labels: Map<string, string>;
  readonly words: Map<string, string>;
  folder: string;
}

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Builds an image as an engine would, from this machine's own files in place of the base image: each stage is an overlay over them, or
 * an empty folder for `scratch`. Needs root and a mount namespace of its own. Throws where a step fails, or is of a kind that it does
 * not know.
 */
export function buildImage({ stages, context, work, node }: BuildPlan): BuiltImage {
  const layers = new Map<string, Layer>();
  let last: Layer | undefined;
  for (const [index, stage] of stages.entries()) {
    const layer = openLayer(join(work, `stage-${index}`), stage.from === 'scratch' ? undefined : node);
    for (const { name, text } of stage.instructions) take(layer, name, text, { context, layers });
    if (stage.name !== undefined) layers.set(stage.name, layer);
    last = layer;
  }
  if (last === undefined) throw new Error('there is no stage');
  const { root, environment, labels, folder, words } = last;
  const listOf = (name: string): readonly string[] => wordsOf(words.get(name) ?? '[]');
  return {
    root,
    environment,
    labels,
    folder,
    user: words.get('USER') ?? '0:0',
    entrypoint: listOf('ENTRYPOINT'),
    command: listOf('CMD'),
    healthcheck: listOf('HEALTHCHECK'),
  };
}

function openLayer(folder: string, node: string | undefined): Layer {
  const root = join(folder, 'root');
  mkdirSync(root, { recursive: true });
  if (node !== undefined) {
    const [upper, inner] = [join(folder, 'upper'), join(folder, 'inner')];
    mkdirSync(join(upper, 'usr/local/bin'), { recursive: true });
    mkdirSync(join(upper, 'etc'));
    mkdirSync(inner);
    cpSync(node, join(upper, 'usr/local/bin/node'));
    for (const name of ['resolv.conf', 'hosts']) writeFileSync(join(upper, 'etc', name), readFileSync(`/etc/${name}`));
    run('mount', ['-t', 'overlay', 'overlay', '-o', `lowerdir=/,upperdir=${upper},workdir=${inner}`, root]);
    for (const name of ['proc', 'dev']) run('mount', ['--rbind', `/${name}`, join(root, name)]);
  }
  return { root, environment: {}, labels: new Map(), words: new Map(), folder: '/' };
}

function take(
  layer: Layer,
  name: string,
  text: string,
  { context, layers }: { readonly context: string; readonly layers: ReadonlyMap<string, Layer> },
): void {
  switch (name) {
    case 'WORKDIR':
      layer.folder = text;
      mkdirSync(join(layer.root, text), { recursive: true });
      return;
    case 'ENV':
      layer.environment = { ...layer.environment, ...Object.fromEntries(pairsOf(text)) };
      return;
    case 'LABEL':
      for (const [key, value] of pairsOf(text)) layer.labels.set(key, value);
      return;
    case 'COPY': {
      const [, from, files = ''] = /^(?:--from=(\S+) )?(.*)$/.exec(text) ?? [];
      const source = from === undefined ? context : layers.get(from)?.root;
      if (source === undefined) throw new Error(`there is no stage ${from}`);
      copy(source, files.split(' '), layer);
      return;
    }
    case 'RUN':
      runIn(layer, text);
      return;
    case 'SHELL':
    case 'USER':
    case 'EXPOSE':
    case 'HEALTHCHECK':
    case 'ENTRYPOINT':
    case 'CMD':
      layer.words.set(name, text);
      return;
    default:
      throw new Error(`${name} is not known`);
  }
}

function copy(source: string, words: readonly string[], { root, folder }: Layer): void {
  const target = join(root, posix.resolve(folder, words.at(-1) ?? '.'));
  for (const name of words.slice(0, -1)) {
    const from = join(source, name);
    const isFolder = statSync(from).isDirectory();
    const isInto = words.length > 2 || /(^|\/)\.?$/.test(words.at(-1) ?? '');
    const to = isFolder || !isInto ? target : join(target, posix.basename(name));
    cpSync(from, to, { recursive: true, verbatimSymlinks: true });
  }
}

function runIn({ root, folder, words }: Layer, text: string): void {
  const shell = wordsOf(words.get('SHELL') ?? '["/bin/sh", "-c"]');
  const given = Object.entries(process.env).filter(
    ([key]) => !/^(npm_(lifecycle|package|execpath|node)|NODE|INIT_CWD)/.test(key),
  );
  run('chroot', [root, ...shell, `cd ${folder} && ${text}`], { ...Object.fromEntries(given), PATH: SYSTEM_PATH });
}

function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): void {
  execFileSync(program, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
}
