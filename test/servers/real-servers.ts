import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { freePort } from '../support/free-port.ts';
import { startOllama } from '../support/ollama-server.ts';
import { tinyModel } from '../support/tiny-model.ts';
import { LLAMA_TEMPLATE } from './llama-template.ts';
import { finished, pythonPrograms } from './python-programs.ts';
import type { ServerCase } from './server-cases.ts';
import { startServer } from './server-process.ts';

type TargetInput = NonNullable<ConfigInput['targets']>[number];

/** A server that runs, by one of its APIs. */
export interface ServerDoor {
  /** Such as `llama.cpp Responses`. */
  readonly title: string;
  /** How the gateway reaches it, but for a name. */
  readonly target: Omit<TargetInput, 'name'>;
  /** Cases that this server cannot be asked, and why. */
  readonly not: Partial<Readonly<Record<ServerCase, string>>>;
}

/** A server with all its doors. */
export interface RealServer {
  readonly doors: readonly ServerDoor[];
  close(): Promise<void>;
}

/** What servers are started with. */
export interface ServerFolders {
  /** Where Python environments are kept. */
  readonly environments: string;
  /** Where models, settings and logs go. */
  readonly work: string;
}

/** A server that can be tried. */
export interface ServerRecipe {
  /** Its name and the version that is pinned. */
  readonly title: string;
  /** Starts it; throws with the reason where it cannot be had here. */
  start(folders: ServerFolders): Promise<RealServer>;
}

const KEY = 'sk-of-the-local-server';
const MODEL = 'tiny';
/** Why a server cannot be asked what became of a limit. */
const LIMIT_UNTOLD = 'it says completed where the limit cut';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Servers by the name that chooses them on the command line. */
export const SERVER_RECIPES: Readonly<Record<string, ServerRecipe>> = {
  llama: { title: 'llama.cpp (xllamacpp 2026.10.11549)', start: startLlama },
  transformers: { title: 'transformers serve 5.24.0', start: startTransformers },
  litellm: { title: 'LiteLLM 1.108.7 before llama.cpp', start: startLiteLlm },
  ollama: { title: 'Ollama (the program in OLLAMA_BINARY)', start: startOllamaDoors },
};

/** The three APIs that most servers speak, at one origin. */
function threeDoors(name: string, origin: string, model: string, nots: readonly ServerDoor['not'][]): ServerDoor[] {
  const shared = { api_key: KEY, model };
  const [chat = {}, responses = {}, messages = {}] = nots;
  const openai = { provider: 'openai', base_url: `${origin}/v1`, ...shared } as const;
  return [
    { title: `${name} Chat`, target: { ...openai, api: 'chat_completions' }, not: chat },
    { title: `${name} Responses`, target: { ...openai, api: 'responses' }, not: responses },
    { title: `${name} Messages`, target: { provider: 'anthropic', base_url: origin, ...shared }, not: messages },
  ];
}

async function startLlamaAt({ environments, work }: ServerFolders) {
  const bin = await pythonPrograms(environments, 'llama', ['xllamacpp==2026.10.11549']);
  const [model, template] = [join(work, 'tiny.gguf'), join(work, 'tiny.jinja')];
  await writeFile(model, tinyModel());
  await writeFile(template, LLAMA_TEMPLATE);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await startServer({
    program: join(bin, 'python'),
    args: [here('llama_server.py'), model, template, String(port), KEY],
    log: join(work, 'llama.log'),
    readyUrl: `${origin}/health`,
    withinMs: 60_000,
  });
  return { origin, server };
}

async function startLlama(folders: ServerFolders): Promise<RealServer> {
  const { origin, server } = await startLlamaAt(folders);
  const anyName = { 'unknown model': 'it answers to any name' };
  const doors = threeDoors('llama.cpp', origin, MODEL, [anyName, { ...anyName, max_tokens: LIMIT_UNTOLD }, anyName]);
  return { doors, close: () => server.close() };
}

async function startTransformers({ environments, work }: ServerFolders): Promise<RealServer> {
  const bin = await pythonPrograms(environments, 'transformers', ['transformers[serving]==5.24.0', 'torch==2.15.0']);
  const model = join(work, 'tiny-hf');
  await finished(join(bin, 'python'), [here('transformers_model.py'), model]);
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const server = await startServer({
    program: join(bin, 'transformers'),
    args: ['serve', model, '--host', '127.0.0.1', '--port', String(port), '--device', 'cpu'],
    env: { HF_HUB_OFFLINE: '1', CUDA_VISIBLE_DEVICES: '' },
    log: join(work, 'transformers.log'),
    readyUrl: `${origin}/health`,
    withinMs: 180_000,
  });
  const not = {
    'tool call': 'the model calls none',
    overflow: 'the context is not checked',
    'max_tokens above the window': 'the context is not checked',
    'wrong key': 'keys are not checked',
    image: 'images are overlooked',
    'window listed': 'it does not say it',
  };
  const [chat, responses] = threeDoors('transformers', origin, model, [
    { ...not, stop: 'it needs another tokenizer for stop texts' },
    { ...not, max_tokens: LIMIT_UNTOLD },
  ]);
  const doors = [chat, responses].filter((door) => door !== undefined);
  return { doors, close: () => server.close() };
}

async function startLiteLlm(folders: ServerFolders): Promise<RealServer> {
  const bin = await pythonPrograms(folders.environments, 'litellm', ['litellm[proxy]==1.108.7']);
  const llama = await startLlamaAt(folders);
  try {
    const settings = join(folders.work, 'litellm.json');
    const params = { model: `openai/${MODEL}`, api_base: `${llama.origin}/v1`, api_key: KEY };
    await writeFile(
      settings,
      JSON.stringify({
        model_list: [{ model_name: MODEL, litellm_params: params }],
        general_settings: { master_key: KEY },
      }),
    );
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const server = await startServer({
      program: join(bin, 'litellm'),
      args: ['--config', settings, '--host', '127.0.0.1', '--port', String(port)],
      env: { LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
      log: join(folders.work, 'litellm.log'),
      readyUrl: `${origin}/health/liveliness`,
      withinMs: 240_000,
    });
    const noWindow = { 'window listed': 'it does not say it' };
    const doors = threeDoors('LiteLLM', origin, MODEL, [
      { ...noWindow, cancel: 'it reads on after its caller hung up' },
      { ...noWindow, max_tokens: LIMIT_UNTOLD },
      { ...noWindow, max_tokens: LIMIT_UNTOLD },
    ]);
    const close = async (): Promise<void> => {
      await server.close();
      await llama.server.close();
    };
    return { doors, close };
  } catch (error) {
    await llama.server.close();
    throw error;
  }
}

async function startOllamaDoors(): Promise<RealServer> {
  const binary = process.env['OLLAMA_BINARY'] ?? '';
  if (binary === '') throw new Error('no package brings it: set OLLAMA_BINARY (docs/providers/ollama.md)');
  const ollama = await startOllama(binary);
  const noKeys = { 'wrong key': 'it has no keys' };
  const openai = { provider: 'openai', base_url: `${ollama.origin}/v1`, model: MODEL, api_key: KEY } as const;
  const doors: ServerDoor[] = [
    { title: 'Ollama', target: { provider: 'ollama', base_url: ollama.origin, model: MODEL }, not: noKeys },
    {
      title: 'Ollama Chat',
      target: { ...openai, api: 'chat_completions' },
      not: { ...noKeys, overflow: 'it cuts the prompt', 'window listed': 'it does not say it there' },
    },
  ];
  return { doors, close: () => ollama.close() };
}
