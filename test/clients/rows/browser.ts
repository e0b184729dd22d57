import { execFileSync } from 'node:child_process';
import type { Page as BrowserPage } from 'playwright-core';
import { chromium } from 'playwright-core';

import { ABORT_WITHIN_MS } from '../cases.ts';
import { missingTool } from '../languages/recipes.ts';
import type { RowOutcome, RowStage } from './row.ts';
import { expect, runChecks } from './row.ts';

const MESSAGES = [{ role: 'ROLE_USER', content: [{ text: 'Say hello.' }] }];

/** Headless Chromium on a page of another origin, which calls the web door. */
export async function tryBrowser({ stage, page }: RowStage): Promise<RowOutcome> {
  const path = findChromium();
  if (path === undefined) return { skipped: 'chromium is not there' };
  const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
  try {
    const open = async (origin: string): Promise<BrowserPage> => {
      const opened = await browser.newPage();
      await opened.goto(`${origin}/`);
      return opened;
    };
    const [own, strange] = [await open(page.origin), await open(page.strangeOrigin)];
    return await runChecks({
      'stream across origins': async () => {
        const told = await call<{ text: string; isFinished: boolean; atMs: number[] }>(own, 'streamText', [
          stage.doors.web,
          { messages: MESSAGES, model: 'mock-slow' },
        ]);
        const spreadMs = Math.round((told.atMs.at(-1) ?? 0) - (told.atMs[0] ?? 0));
        expect(told.text !== '' && told.isFinished, JSON.stringify(told));
        expect(spreadMs > 200, `all pieces came within ${spreadMs} ms: not as they were written`);
        return `${told.atMs.length} pieces over ${spreadMs} ms`;
      },
      'a left stream reaches the provider': async () => {
        const before = stage.words.abortedAtMs.length;
        await call(own, 'leave', [stage.wordsWeb, { messages: MESSAGES }]);
        const leftAtMs = performance.now();
        while (stage.words.abortedAtMs.length === before) {
          expect(performance.now() - leftAtMs < ABORT_WITHIN_MS, `not within ${ABORT_WITHIN_MS} ms`);
          await own.evaluate('0');
        }
        return `after ${Math.round(performance.now() - leftAtMs)} ms`;
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
  } finally {
    await browser.close();
  }
}

/** Calls a function that a page has. */
function call<T = unknown>(page: BrowserPage, name: string, args: readonly unknown[]): Promise<T> {
  return page.evaluate<T>(`window.${name}(...${JSON.stringify(args)})`);
}

function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome'];
  const found = names.find((name) => missingTool(name, ['--version']) === undefined);
  return found === undefined ? undefined : execFileSync('which', [found], { encoding: 'utf8' }).trim();
}
