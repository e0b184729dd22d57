import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page as BrowserPage } from 'playwright-core';
import { chromium } from 'playwright-core';

import { findChromium } from '../../support/headless-browser.ts';
import { ABORT_WITHIN_MS } from '../cases.ts';
import { command } from '../languages/recipes.ts';
import type { Stage } from '../stage/stage.ts';
import type { Page } from './page.ts';
import type { RowCheck, RowOutcome, RowStage } from './row.ts';
import { expect, runChecks } from './row.ts';

const MESSAGES = [{ role: 'ROLE_USER', content: [{ text: 'Say hello.' }] }];

/** Headless Chromium on a page of another origin, which calls the web door. */
export async function tryBrowser({ stage, page, clients, work }: RowStage): Promise<RowOutcome> {
  const path = findChromium();
  if (path === undefined) return { skipped: 'chromium is not there' };
  const hasClient = await bundleClient(join(clients, 'typescript'), join(work, 'page'), page);
  const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
  try {
    const open = async (origin: string): Promise<BrowserPage> => {
      const opened = await browser.newPage();
      await opened.goto(`${origin}/`);
      return opened;
    };
    const [own, strange] = [await open(page.origin), await open(page.strangeOrigin)];
    const bare = await runChecks({
      'stream across origins': async () => {
        return inPieces(own, 'streamText', [stage.doors.web, { messages: MESSAGES, model: 'mock-slow' }]);
      },
      'a left stream reaches the provider': async () => {
        const before = stage.words.abortedAtMs.length;
        await call(own, 'leave', [stage.wordsWeb, { messages: MESSAGES }]);
        return abortAfter(before, own, stage);
      },
      'an error says its reason': async () => {
        const answer = await call(own, 'generate', [stage.doors.web, { prompt: '' }]);
        const told = JSON.stringify(answer);
        expect(told.includes('invalid_argument') && told.includes('"field":"prompt"'), told);
        expect(!told.includes('"requestId":null'), told);
        return 'INVALID_ARGUMENT';
      },
      'a page of another origin is refused': async () => {
        const refused = await call(strange, 'generate', [stage.doors.web, { prompt: 'Say hello.' }]).then(
          () => '',
          (error: unknown) => String(error),
        );
        expect(refused.includes('Failed to fetch'), refused);
        return 'refused';
      },
    });
    if (!hasClient) {
      return { checks: [...bare.checks, { check: 'with the client', skipped: 'it has no page for browsers' }] };
    }
    const client = await browser.newPage();
    await client.goto(`${page.origin}/client/`);
    await client.waitForFunction('globalThis.understudy');
    const ofClient = await tryClientPage(client, stage);
    return { checks: [...bare.checks, ...ofClient.checks] };
  } finally {
    await browser.close();
  }
}

/** Makes the page of the TypeScript client, whose package must be built, where it has one. */
async function bundleClient(client: string, output: string, page: Page): Promise<boolean> {
  const script = join(client, 'scripts', 'bundle-page.mjs');
  if (!existsSync(script)) return false;
  await mkdir(output, { recursive: true });
  await command('npm', ['run', '--silent', 'build'], client);
  await command(process.execPath, [script, output], client);
  page.serve('client', output);
  return true;
}

/** The same with the client's entry for browsers. */
function tryClientPage(own: BrowserPage, stage: Stage): Promise<{ readonly checks: readonly RowCheck[] }> {
  return runChecks({
    'the client streams across origins': async () => {
      return inPieces(own, 'understudy.stream', [stage.doors.web, { model: 'mock-slow' }]);
    },
    'leaving its loop reaches the provider': async () => {
      const before = stage.words.abortedAtMs.length;
      await call(own, 'understudy.leave', [stage.wordsWeb]);
      return abortAfter(before, own, stage);
    },
    'the client decodes an error': async () => {
      const told = JSON.stringify(await call(own, 'understudy.generate', [stage.doors.web, { prompt: '' }]));
      expect(told.includes('"fields":["prompt"]'), told);
      return 'INVALID_ARGUMENT';
    },
    'the client lists the models': async () => {
      const told = JSON.stringify(await call(own, 'understudy.models', [stage.doors.web]));
      expect(told.includes('mock-ok'), told);
      return told;
    },
  });
}

/** What a page tells of a stream. */
interface ToldStream {
  readonly text?: string;
  readonly isFinished?: boolean;
  /** When each of its pieces came, in milliseconds. */
  readonly atMs?: readonly number[];
}

/** Has a page read a stream, which must come as it is written. A page that is held up has all at once: it is asked again. */
async function inPieces(page: BrowserPage, name: string, args: readonly unknown[], tries = 5): Promise<string> {
  const told = await call<ToldStream>(page, name, args);
  const { text, isFinished = false, atMs = [] } = told;
  expect(text !== '' && isFinished, JSON.stringify(told));
  const spreadMs = Math.round((atMs.at(-1) ?? 0) - (atMs[0] ?? 0));
  if (spreadMs <= 200 && tries > 1) return inPieces(page, name, args, tries - 1);
  expect(spreadMs > 200, `all pieces came within ${spreadMs} ms: not as they were written`);
  return `${atMs.length} pieces over ${spreadMs} ms`;
}

/** Waits until the provider hears of an abort. */
async function abortAfter(before: number, page: BrowserPage, stage: Stage): Promise<string> {
  const leftAtMs = performance.now();
  while (stage.words.abortedAtMs.length === before) {
    expect(performance.now() - leftAtMs < ABORT_WITHIN_MS, `not within ${ABORT_WITHIN_MS} ms`);
    await page.evaluate('0');
  }
  return `after ${Math.round(performance.now() - leftAtMs)} ms`;
}

/** Calls a function that a page has. */
function call<T = unknown>(page: BrowserPage, name: string, args: readonly unknown[]): Promise<T> {
  return page.evaluate<T>(`window.${name}(...${JSON.stringify(args)})`);
}
