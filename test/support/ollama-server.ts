import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TINY_TEMPLATE, tinyModel } from './tiny-model.ts';

/** A real Ollama with the model `tiny`. */
export interface OllamaServer {
  /** `http://127.0.0.1:port` */
  readonly origin: string;
  /** Resolves with the next line of its log that contains all of the texts. */
  logged(...texts: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

/** Starts `binary` on a free port of loopback, with a folder of its own that goes with it, and makes the model. */
export async function startOllama(binary: string): Promise<OllamaServer> {
  const home = await mkdtemp(join(tmpdir(), 'ollama-'));
  const host = `127.0.0.1:${await freePort()}`;
  const process = spawn(binary, ['serve'], {
    env: { HOME: home, PATH: globalThis.process.env['PATH'], OLLAMA_HOST: host, OLLAMA_MODELS: join(home, 'models') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(process, 'exit');
  const waiting = new Set<(line: string) => void>();
  createInterface(process.stderr).on('line', (line) => {
    for (const hear of waiting) hear(line);
  });
  const logged = (...texts: readonly string[]): Promise<string> =>
    new Promise((resolve, reject) => {
      const hear = (line: string): void => {
        if (!texts.every((text) => line.includes(text))) return;
        waiting.delete(hear);
        resolve(line);
      };
      waiting.add(hear);
      void exited.then(() => reject(new Error('Ollama ended')));
    });
  await logged('Listening on');
  const origin = `http://${host}`;
  await makeModel(origin);
  return {
    origin,
    logged,
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

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
