import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

import { pathOf, respondText, type WebRequest, type WebResponse } from '../http/exchange.ts';

const FOLDER = new URL('page/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** What the page may do: run its own scripts, and talk to its own address. */
const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // Asked about each time, so that a new version is there at once.
  'cache-control': 'no-cache',
};

interface PageFile {
  readonly body: Buffer;
  readonly tag: string;
}

/** Serves the files of the page as they lie in the package: `/` and what is under `/page/`. */
export class PageFiles {
  readonly #read = new Map<string, Promise<PageFile>>();

  /** Answers a request for one of them; tells whether it was. */
  answer(request: WebRequest, response: WebResponse): boolean {
    const path = pathOf(request);
    const [, name] = /^\/page\/([a-z-]+\.[a-z]+)$/.exec(path === '/' ? '/page/index.html' : path) ?? [];
    const type = name === undefined ? undefined : TYPES[extname(name)];
    if (name === undefined || type === undefined) return false;
    void this.#answer(name, type, request, response);
    return true;
  }

  async #answer(name: string, type: string, { headers }: WebRequest, response: WebResponse): Promise<void> {
    let file = this.#read.get(name);
    if (file === undefined) {
      file = readFile(new URL(name, FOLDER)).then((body) => ({ body, tag: `"${hash('sha256', body)}"` }));
      this.#read.set(name, file);
    }
    try {
      const { body, tag } = await file;
      for (const [header, value] of Object.entries(HEADERS)) response.setHeader(header, value);
      response.setHeader('content-type', type);
      response.setHeader('etag', tag);
      const isKnown = headers['if-none-match'] === tag;
      if (isKnown) response.statusCode = 304;
      response.end(isKnown ? '' : body);
    } catch {
      this.#read.delete(name);
      respondText(response, 404, 'not found');
    }
  }
}
