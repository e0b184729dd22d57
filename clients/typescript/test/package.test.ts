import { cp, readFile, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finished, numbered, streamOf, textDelta } from './support/events.ts';
import { CLIENT_VERSION, Code, ServingStatus } from '../src/index.ts';
import { type Gateway, type GatewayScript, startGateway, StatusError } from './support/gateway.ts';
import { startWebDoor, type WebDoor } from './support/web-door.ts';
import { type InstalledPackage, installPacked, run } from './support/packed-package.ts';

const packageRoot = fileURLToPath(new URL('..', import.meta.url));

let installed: InstalledPackage;
let folder: string;
let gateway: Gateway;
let second: Gateway;
let door: WebDoor;

beforeAll(async () => {
  installed = await installPacked(packageRoot);
  ({ folder } = installed);
  const script: GatewayScript = {
    streamChat: (call) => {
      for (const response of numbered([textDelta('hello '), textDelta('world'), finished()])) call.write(response);
      call.end();
    },
    watch: (call) => void call.write({ status: ServingStatus.SERVING }),
    generate: ({ request }) => {
      if (request.model === 'mock-500') throw new StatusError(Code.Unavailable, 'no');
      return { text: 'hello', provider: 'mock' };
    },
    chat: ({ request }) =>
      request.model === 'mock-tool-call'
        ? { message: { content: [{ part: { case: 'toolCall', value: { id: 'c1', name: 'weather' } } }] } }
        : { text: `${request.messages.length} messages` },
  };
  door = await startWebDoor({ streamChat: () => streamOf([textDelta('hello'), finished()]) });
  gateway = await startGateway(script);
  second = await startGateway(script);
}, 600_000);

afterAll(async () => {
  gateway.close();
  second.close();
  door.close();
  await installed.remove();
});

describe('the packed package', () => {
  it('runs the example outside the repository, without type stripping', async () => {
    await cp(join(packageRoot, 'example', 'chat.mjs'), join(folder, 'chat.mjs'));
    const { stdout } = await run(process.execPath, ['--no-strip-types', 'chat.mjs', gateway.address], { cwd: folder });
    expect(stdout).toContain('hello world\n\nmock, model mock-ok; tokens: unknown; USD: unknown');
  });

  it('runs from CommonJS too', async () => {
    await writeFile(
      join(folder, 'ask.cjs'),
      `const { createLlmClient, userMessage } = require('@understudy/client');
       const client = createLlmClient(process.argv[2]);
       client.streamChat({ messages: [userMessage('x')] }).collect().then(({ text }) => console.log(text));`,
    );
    const { stdout } = await run(process.execPath, ['ask.cjs', gateway.address], { cwd: folder });
    expect(stdout).toBe('hello world\n');
  });

  it('ends the process by itself once 300 streams were left early', async () => {
    await writeFile(
      join(folder, 'leave.mjs'),
      `import { createLlmClient } from '@understudy/client';
       const client = createLlmClient(process.argv.slice(2));
       for (let turn = 0; turn < 300; turn += 1) for await (const _event of client.streamChat({})) break;
       console.log(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length);`,
    );
    // The second gateway is watched, and the third never found.
    for (const others of [[], [second.address, '127.0.0.1:1']]) {
      const program = ['leave.mjs', gateway.address, ...others];
      const { stdout } = await run(process.execPath, program, { cwd: folder, timeout: 90_000 });
      expect(stdout).toBe('0\n');
    }
  });

  it('does not keep the process alive for a connection that does not come about', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const bound = silent.address();
    const port = typeof bound === 'object' ? String(bound?.port) : '';
    await writeFile(
      join(folder, 'silent.mjs'),
      `import { createLlmClient } from '@understudy/client';
       const client = createLlmClient('127.0.0.1:' + process.argv[2], { tls: true });
       client.generate({ prompt: 'x' }, { timeoutMs: 100 }).catch(({ code }) => console.log(code));`,
    );
    const { stdout } = await run(process.execPath, ['silent.mjs', port], { cwd: folder, timeout: 90_000 });
    silent.close();
    expect(stdout).toBe(`${Code.DeadlineExceeded}\n`);
  });

  it('is for browsers a bundle without anything of Node', async () => {
    await writeFile(
      join(folder, 'page.js'),
      `import { createLlmClient, decodeError } from '@understudy/client';
       globalThis.ask = (url) => createLlmClient(url).generate({ prompt: 'x' }).catch(decodeError);`,
    );
    const bundle = await rolldown({
      input: join(folder, 'page.js'),
      platform: 'browser',
      cwd: folder,
      tsconfig: false,
    });
    const { output } = await bundle.generate({ format: 'esm', minify: true });
    await bundle.close();
    expect(output).toHaveLength(1);
    const { code, imports } = output[0];
    expect(imports).toEqual([]);
    expect(/[`'"]node:|\bBuffer\b/.test(code)).toBe(false);
    expect(code.length).toBeLessThan(200_000);
  });

  it('is used by the snippets of the README as they stand', async () => {
    const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
    const snippets = [...readme.matchAll(/^```js\n(.*?)^```/gms)].map(([, code = '']) => code);
    expect(snippets).toHaveLength(5);
    for (const code of snippets) {
      const pointed = code.replace('127.0.0.1:50051', gateway.address).replace('http://127.0.0.1:8080', door.url);
      await writeFile(join(folder, 'snippet.mjs'), pointed);
      const { stdout } = await run(process.execPath, ['snippet.mjs'], { cwd: folder, timeout: 90_000 });
      expect(stdout.trim()).not.toBe('');
    }
  });

  it('tells an error of the gateway in the example', async () => {
    const failure = await run(process.execPath, ['chat.mjs', '127.0.0.1:1'], { cwd: folder }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ code: 1, stderr: expect.stringMatching(/^failed: .*ECONNREFUSED/) });
  });

  it.each(['nodenext', 'preserve'])('has types that compile strictly, with module "%s"', async (module) => {
    await writeFile(
      join(folder, 'typed.ts'),
      `import { collect, createLlmClient, decodeError, ErrorReason, type Message, Role } from '@understudy/client';
       const client = createLlmClient('https://gateway:443', { headers: async () => ({ authorization: 'x' }) });
       export async function ask(signal: AbortSignal): Promise<Message> {
         const { message } = await collect(client.streamChat({ messages: [{ role: Role.USER }] }, { signal }));
         return message;
       }
       export function isOpen(error: unknown): boolean {
         return decodeError(error).reason === ErrorReason[ErrorReason.CIRCUIT_OPEN];
       }
       // @ts-expect-error: no such field
       void client.chat({ prompt: 'x' });
      `,
    );
    await installed.typecheck(module, 'typed.ts');
  });

  it('has types for pages, which know nothing of Node', async () => {
    await writeFile(
      join(folder, 'typed-page.ts'),
      `import { createLlmClient } from '@understudy/client/web';
       const client = createLlmClient('https://gateway', { apiKey: async () => 'k', fetch: (input, init) => fetch(input, init) });
       export async function ask(): Promise<string> {
         return (await client.streamChat({ messages: [] }, { timeoutMs: 1000 }).collect()).text;
       }
       // @ts-expect-error: native gRPC alone has it
       void client.watch();
      `,
    );
    await installed.typecheck('preserve', '--lib', 'es2022,dom,dom.iterable', '--types', '', 'typed-page.ts');
  });

  it('is found in order by publint and attw', async () => {
    await installed.lint();
  });

  it('holds what it exports and its licence, and no source, test or server part', async () => {
    const manifest: unknown = JSON.parse(await readFile(join(installed.root, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      type: 'module',
      version: CLIENT_VERSION,
      exports: { '.': { browser: { types: './dist/web.d.ts' }, types: './dist/index.d.ts' } },
    });
    const folders = new Set(installed.files.map((path) => path.split('/')[0]));
    expect(folders).toEqual(new Set(['LICENSE', 'README.md', 'dist', 'example', 'gen', 'package.json']));
    expect(installed.files.filter((path) => /grpc-js|(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });
});

describe('the generated code', () => {
  it('is what buf makes of proto/', async () => {
    const fresh = join(folder, 'fresh');
    await run(join(installed.modules, '.bin', 'buf'), ['generate', '--output', fresh], { cwd: packageRoot });
    await run('diff', ['-r', join(fresh, 'gen'), join(packageRoot, 'gen')]);
  });
});
