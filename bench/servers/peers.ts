import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { freePort } from '../../test/support/free-port.ts';
import type { ForeignServer } from './foreign.ts';
import { originOf } from './gateway-config.ts';
import type { ServerProcess } from './server-process.ts';

const PORTKEY = '@portkey-ai/gateway@1.15.2';
const LITELLM = 'litellm[proxy]==1.108.7';

/** A gateway of others. */
export interface Peer {
  readonly name: string;
  /** Installs it in a folder unless it is there, and says how it is started. Rejects where it cannot be. */
  readonly prepare: (folder: string, upstream: ServerProcess, directory: string) => Promise<ForeignServer>;
}

/** With everything that they do unless they are told not to, and one provider. */
export const PEERS: readonly Peer[] = [
  {
    name: 'Portkey',
    prepare: async (folder, upstream) => {
      const home = join(folder, 'portkey');
      const script = join(home, 'node_modules/@portkey-ai/gateway/build/start-server.js');
      mkdirSync(home, { recursive: true });
      const args = ['install', '--prefix', home, '--ignore-scripts', '--no-audit', '--no-fund', PORTKEY];
      if (!existsSync(script) && !hasRun('npm', args)) throw new Error(`npm did not install ${PORTKEY}`);
      const port = await freePort();
      return {
        name: PORTKEY,
        port,
        command: process.execPath,
        args: [script, `--port=${port}`, '--headless'],
        env: { NODE_ENV: 'production' },
        headers: { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${originOf(upstream)}/v1` },
      };
    },
  },
  {
    name: 'LiteLLM',
    prepare: async (folder, upstream, directory) => {
      const bin = join(folder, 'litellm/bin');
      const isThere = (): boolean => existsSync(join(bin, 'litellm'));
      if (!isThere() && hasRun('python3', ['-m', 'venv', join(folder, 'litellm')]))
        hasRun(join(bin, 'pip'), ['install', '--quiet', LITELLM]);
      if (!isThere()) throw new Error(`pip did not install ${LITELLM}`);
      const port = await freePort();
      const key = `sk-${randomBytes(32).toString('hex')}`;
      const config = join(directory, 'litellm.json');
      const target = { model: 'openai/bench-model', api_base: `${originOf(upstream)}/v1`, api_key: 'bench' };
      writeFileSync(config, JSON.stringify({ model_list: [{ model_name: 'bench-model', litellm_params: target }] }));
      return {
        name: LITELLM,
        port,
        command: join(bin, 'litellm'),
        args: ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1'],
        // It starts with a key alone; and asks for prices when it starts, unless it is told not to.
        env: { LITELLM_MASTER_KEY: key, LITELLM_LOCAL_MODEL_COST_MAP: 'True' },
        headers: { authorization: `Bearer ${key}` },
      };
    },
  },
  {
    name: 'GoModel',
    prepare: async (folder, upstream, directory) => {
      const command = join(folder, 'gomodel');
      if (!existsSync(command)) throw new Error(`there is no program ${command}; whoever has its source may build it`);
      const port = await freePort();
      const env = {
        PORT: String(port),
        OPENAI_API_KEY: 'bench',
        OPENAI_BASE_URL: `${originOf(upstream)}/v1`,
        OPENAI_MODELS: 'bench-model',
        MODEL_LIST_URL: '',
        SQLITE_PATH: join(directory, 'gomodel.db'),
        GOMODEL_CACHE_DIR: directory,
      };
      return { name: 'GoModel', port, command, args: [], env };
    },
  },
];

function hasRun(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
}
