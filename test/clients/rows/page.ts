import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A small web server with the pages that a browser opens; its origin is another than that of any gateway. */
export interface Page {
  /** `http://127.0.0.1:port`, which the gateways let in. */
  readonly origin: string;
  /** The same pages under a name that no gateway lets in. */
  readonly strangeOrigin: string;
  /** Serves the files of a folder under `/NAME/` as well. */
  serve(name: string, folder: string): void;
  close(): Promise<void>;
}

const OWN_PAGE = fileURLToPath(new URL('page.html', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.map': 'application/json',
};

/** Starts it. */
export async function startPage(): Promise<Page> {
  const folders = new Map<string, string>();
  const server = createServer((request, response) => {
    void (async () => {
      const { pathname } = new URL(request.url ?? '/', 'http://page');
      const [, name = '', ...rest] = normalize(pathname).split('/');
      const folder = folders.get(name);
      const path = folder === undefined ? OWN_PAGE : join(folder, ...(rest.join('/') === '' ? ['index.html'] : rest));
      if (pathname === '/favicon.ico' || !existsSync(path)) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' });
      response.end(await readFile(path));
    })().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the page has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    strangeOrigin: `http://localhost:${address.port}`,
    serve: (name, folder) => void folders.set(name, folder),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
