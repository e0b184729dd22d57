import { spawnSync } from 'node:child_process';

import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Returns the path of a Chromium of this machine; undefined where there is none. */
export function findChromium(): string | undefined {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    const { status, stdout } = spawnSync('which', [name], { encoding: 'utf8' });
    if (status === 0) return stdout.trim();
  }
  return undefined;
}

/** A page, and what was wrong with it so far: errors in its console, of its scripts, and what its policy has stopped. */
export interface WatchedPage {
  readonly page: Page;
  readonly faults: string[];
}

/** Starts Chromium without a window. Throws where there is none. */
export function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error('chromium is not there');
  return chromium.launch({ executablePath, args: ['--no-sandbox'], timeout: 90_000 });
}

/** Opens a page by itself, with a storage of its own. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(url);
  return { page, faults };
}
