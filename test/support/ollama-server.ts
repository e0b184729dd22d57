import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort } from './free-port.ts';
import { TINY_TEMPLATE, tinyModel } from './tiny-model.ts';

/** A real Ollama with the model `tiny`. */
export interface OllamaServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  close(): Promise<void>;
}

/** Starts `binary` on a free port of loopback, with a folder of its own that goes with it, and makes the model. */
export async function startOllama(binary: string): Promise<OllamaServer> {
  const home = await mkdtemp(join(tmpdir(), 'ollama-'));
  const host = `127.0.0.1:${await freePort()}`;
  const process = spawn(binary, ['serve'], {
    // One call at a time, in a context that is full soon.
    env: {
      HOME: home,
      PATH: globalThis.process.env['PATH'],
      OLLAMA_HOST: host,
      OLLAMA_MODELS: join(home, 'models'),
      OLLAMA_NUM_PARALLEL: '1',
      OLLAMA_CONTEXT_LENGTH: '512',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(process, 'exit');
  await new Promise<void>((resolve, reject) => {
    createInterface(process.stderr).on('line', (line) => {
      if (line.includes('Listening on')) resolve();
    });
    void exited.then(() => reject(new Error('Ollama ended')));
  });
  const origin = `http://${host}`;
  await makeModel(origin);
  return {
    origin,
    close: async () => {
      process.kill();
      await exited;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function makeModel(origin: string): Promise<void> {
  const model = tinyModel();
  const digest = `sha256:${createHash('sha256').update(model).digest('hex')}`;
  await post(`${origin}/api/blobs/${digest}`, Buffer.from(model));
  const files = { 'tiny.gguf': digest };
  await post(`${origin}/api/create`, JSON.stringify({ model: 'tiny', files, template: TINY_TEMPLATE, stream: false }));
}

async function post(url: string, body: string | Buffer<ArrayBuffer>): Promise<void> {
  const response = await fetch(url, { method: 'POST', body });
  const text = await response.text();
  if (!response.ok) throw new Error(`Ollama refused ${url}: ${text}`);
}
