import { writeFile } from 'node:fs/promises';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { ConfigInput } from '../../src/config/file/schema.ts';
import { configFile } from '../support/config-file.ts';
import { freePort } from '../support/free-port.ts';
import { findChromium, launchChromium, openPage } from '../support/headless-browser.ts';
import { firstStatus } from '../support/status-events.ts';
import { type ProcessDoors, startUnderstudy, type UnderstudyProcess } from '../support/understudy-process.ts';

const target = (name: string, model: string) => ({
  name,
  provider: 'openai' as const,
  mock: true,
  api_key: 'k',
  model,
});
const HEALTHY = [target('lead', 'mock-ok'), target('second', 'mock-ok')];

async function start(
  config: ConfigInput,
  env: Record<string, string> = {},
): Promise<[ProcessDoors, UnderstudyProcess]> {
  const child = startUnderstudy(['--config', await configFile(config)], env);
  onTestFinished(() => child.close());
  return [await child.doors, child];
}

async function ask(
  { web }: ProcessDoors,
  body: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const answer = await fetch(`${web}/understudy.v1.LlmService/Generate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt: 'Who is there?', ...body }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

describe.skipIf(findChromium() === undefined)('the status page (needs chromium)', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  test('says how the gateway is called, and shows what comes without being loaded again', async () => {
    const [doors] = await start({ targets: HEALTHY });
    const { page, faults } = await openPage(browser, doors.admin);
    await page.getByRole('heading', { name: 'No call within the last hour' }).waitFor();
    const commands = await page.locator('#empty code').allTextContents();
    expect(commands).toEqual([
      `grpcurl -plaintext -d '{ "prompt": "Say hello." }' ${doors.grpc} understudy.v1.LlmService/Generate`,
      `curl --json '{ "prompt": "Say hello." }' ${doors.web}/understudy.v1.LlmService/Generate`,
    ]);
    await page.evaluate('window.isSame = true');
    for (let call = 0; call < 3; call++) expect(await ask(doors)).toBe(200);
    const lead = page.getByRole('row', { name: /^ok lead / });
    await lead.waitFor();
    await page.getByRole('heading', { name: 'No call within the last hour' }).waitFor({ state: 'hidden' });
    await lead.getByRole('img', { name: '3 attempts in the last hour' }).waitFor();
    const cells = await lead.getByRole('cell').allTextContents();
    expect([cells[3], cells[4]]).toEqual(['3', '100 %']);
    await page.locator('#figures', { hasText: /Calls a minute3.*In flight0of \d/ }).waitFor();
    expect(await page.getByRole('status').first().textContent()).toBe('Serving');
    expect(await page.evaluate('window.isSame')).toBe(true);
    expect(faults).toEqual([]);
  });

  test('says what fails and why, and shows what was tried for a request', async () => {
    const [doors] = await start({
      targets: [target('lead', 'mock-401'), target('second', 'mock-ok'), target('broken', 'mock-500')],
      routes: [
        { name: 'default', targets: ['lead', 'second'] },
        { name: 'dead', targets: ['broken'] },
      ],
      retry: { backoff: ['10ms'] },
    });
    await ask(doors, { labels: { team: 'search' } }, { 'x-request-id': 'moved-1' });
    await ask(doors, { routing: { route: 'dead' } }, { 'x-request-id': 'failed-1' });
    const { page, faults } = await openPage(browser, doors.admin);
    const failures = page.getByRole('region', { name: 'What failed in the last hour' });
    await failures.getByRole('row', { name: /lead the provider refuses the key PROVIDER_AUTH_FAILED 401/ }).waitFor();
    const broken = failures.getByRole('row', { name: /broken .* PROVIDER_UNAVAILABLE 500/ });
    expect((await broken.getByRole('cell').allTextContents())[4]).toBe('1');
    expect(await page.getByRole('row', { name: /key refused lead/ }).count()).toBe(1);
    expect(await page.title()).toMatch(/Understudy$/);

    await page.getByRole('region', { name: 'Calls in trouble' }).getByRole('link', { name: 'moved-1' }).click();
    const trail = page.getByRole('dialog', { name: 'Request moved-1' });
    const attempts = trail.getByRole('listitem');
    await attempts.first().waitFor();
    expect(await attempts.count()).toBe(2);
    expect(await attempts.nth(0).textContent()).toMatch(
      /^firstleadmock-401the provider refuses the keyPROVIDER_AUTH_FAILED 401/,
    );
    expect(await attempts.nth(1).textContent()).toMatch(/^failoversecondmock-okok.* tokens/);
    expect(await trail.textContent()).toMatch(/answered by second with .*team=search/);
    await page.keyboard.press('Escape');
    await trail.waitFor({ state: 'hidden' });

    await page.keyboard.press('/');
    await page.keyboard.type('failed-1');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Request failed-1' }).getByText('every target has failed').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    await page.goto(`${doors.admin}/#request=nobody`);
    await page.getByRole('alert').getByText('not among the last calls of this process').waitFor();
    expect(faults).toEqual([]);
  });

  test('goes on by itself when the gateway is back, and says meanwhile that it is not', async () => {
    const env = { UNDERSTUDY_ADMIN_ADDRESS: `127.0.0.1:${await freePort()}` };
    const [doors, first] = await start({ targets: HEALTHY }, env);
    await ask(doors);
    const { page } = await openPage(browser, doors.admin);
    await page.getByText('live', { exact: true }).waitFor();
    await first.close();
    await page.getByText(/^no connection since \d\d:\d\d:\d\d UTC$/).waitFor();
    const [again] = await start({ targets: [target('other', 'mock-ok')] }, env);
    await page.getByText('live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'other' }).waitFor();
    expect(await page.getByRole('button', { name: 'lead' }).count()).toBe(0);
    await ask(again);
    await page.getByRole('row', { name: /^ok other/ }).waitFor();
  });

  test('follows a configuration that is read again', async () => {
    const path = await configFile({ targets: HEALTHY });
    const child = startUnderstudy(['--config', path]);
    onTestFinished(() => child.close());
    const { page } = await openPage(browser, (await child.doors).admin);
    await page.getByRole('button', { name: 'second' }).waitFor();
    await writeFile(path, JSON.stringify({ targets: [target('third', 'mock-ok'), target('lead', 'mock-ok')] }));
    child.kill('SIGHUP');
    await page.getByRole('button', { name: 'third' }).waitFor();
    expect(await page.locator('button.name').allTextContents()).toEqual(['third', 'lead']);
    const refused = page.getByText(/^The configuration of .* cannot be used, and the one before holds: .*retry/);
    await writeFile(path, JSON.stringify({ targets: HEALTHY, retry: { max_repeats: 'none' } }));
    child.kill('SIGHUP');
    await refused.waitFor();
    await writeFile(path, JSON.stringify({ targets: HEALTHY }));
    child.kill('SIGHUP');
    await refused.waitFor({ state: 'hidden' });
  });

  test('is dark where the system is, and as somebody has chosen from then on', async () => {
    const [doors] = await start({ targets: HEALTHY });
    const { page } = await openPage(browser, doors.admin, { colorScheme: 'dark' });
    const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const [dark, light] = ['rgb(17, 20, 23)', 'rgb(255, 255, 255)'];
    expect(await ground()).toBe(dark);
    await page.emulateMedia({ colorScheme: 'light' });
    expect(await ground()).toBe(light);
    const theme = page.getByRole('button', { name: /^Theme/ });
    await theme.click();
    await theme.click();
    expect([await ground(), await theme.textContent()]).toEqual([dark, 'Theme: dark']);
    await page.reload();
    expect([await ground(), await theme.textContent()]).toEqual([dark, 'Theme: dark']);
  });

  test('takes no text of callers for anything but text', async () => {
    const [doors] = await start({ targets: [target('lead', 'mock-500')], retry: { max_repeats: 0 } });
    const hostile = '<img src=x onerror=alert(1)>"><script>alert(2)</script>';
    await ask(doors, { labels: { a: hostile } }, { 'x-request-id': hostile });
    const { page, faults } = await openPage(browser, doors.admin);
    page.on('dialog', (dialog) => faults.push(dialog.message()));
    await page.getByRole('region', { name: 'Calls in trouble' }).getByRole('link', { name: hostile }).click();
    await page.getByRole('dialog').getByText(`a=${hostile}`).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(faults).toEqual([]);
    // Nor could a fault of the page make one of it.
    for (const attempt of ["document.body.innerHTML = '<b>'", "document.createElement('script').src = 'x.js'"]) {
      await expect(page.evaluate(attempt), attempt).rejects.toThrow(/TrustedHTML|TrustedScriptURL/);
    }
  });

  test('shows each call once, also where callers use an id again and again', async () => {
    const [doors] = await start({ targets: [target('lead', 'mock-401')], retry: { max_repeats: 0 } });
    const { page, faults } = await openPage(browser, doors.admin);
    const rows = page.getByRole('region', { name: 'Calls in trouble' }).locator('tbody tr');
    for (let round = 1; round <= 3; round++) {
      await Promise.all(Array.from({ length: 7 }, () => ask(doors, {}, { 'x-request-id': 'the-same' })));
      await ask(doors, {}, { 'x-request-id': `round-${round}` });
      await rows.getByText(`round-${round}`).waitFor();
      expect(await rows.count()).toBe(Math.min(25, 8 * round));
    }
    expect(faults).toEqual([]);
  });

  test('fits a phone, long names and two hundred targets', async () => {
    const long =
      'a-name-of-a-target-that-somebody-has-chosen-with-all-the-words-that-came-to-mind-in-the-spring-of-2026';
    const many = Array.from({ length: 199 }, (_, index) => target(`target-${index}`, 'mock-ok'));
    const [doors] = await start({ targets: [target(long.slice(0, 100), 'mock-ok'), ...many] });
    await ask(doors, { routing: { targets: ['target-150'] } });
    const { page, faults } = await openPage(browser, doors.admin, { viewport: { width: 360, height: 800 } });
    const rows = page.getByRole('table', { name: 'Targets' }).getByRole('row');
    await page.getByRole('button', { name: 'Show all 200' }).waitFor();
    // The heading is one of them. Those with something to do come first.
    expect(await rows.count()).toBe(26);
    expect(await rows.nth(1).textContent()).toContain('target-150');
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.getByRole('button', { name: 'Show all 200' }).click();
    expect(await rows.count()).toBe(201);
    await page.getByRole('searchbox', { name: 'Filter targets' }).fill('a-name-of');
    expect(await rows.count()).toBe(2);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    expect(faults).toEqual([]);
  });

  test('is for the keyboard and for screen readers, too', async () => {
    const [doors] = await start({ targets: HEALTHY });
    await ask(doors);
    const { page } = await openPage(browser, doors.admin);
    const table = page.getByRole('table', { name: 'Targets' });
    await table.waitFor();
    expect(await table.getByRole('columnheader').count()).toBe(10);
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the status');
    const name = table.getByRole('button', { name: 'lead' });
    await name.focus();
    await page.keyboard.press('Enter');
    expect(await name.getAttribute('aria-expanded')).toBe('true');
    await table.getByRole('heading', { name: 'Circuits' }).waitFor();
    // What is told meanwhile leaves the focus where it is.
    await ask(doors);
    await page.getByRole('row', { name: /^ok lead .* 2 100 %/ }).waitFor();
    expect(await page.evaluate('document.activeElement.textContent')).toBe('lead');
    await table.getByRole('button', { name: 'A minute' }).click();
    expect(await table.getByRole('columnheader', { name: 'A minute' }).getAttribute('aria-sort')).toBe('descending');
    const nameless = `[...document.querySelectorAll('button, input, select, a, img, svg')].filter((one) =>
      !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length || one.placeholder))`;
    expect(await page.evaluate(`${nameless}.length`)).toBe(0);
  });

  test('lets operators act where the configuration does, and asks before', async () => {
    const [without] = await start({ targets: HEALTHY });
    const first = await openPage(browser, without.admin);
    await first.page.getByRole('button', { name: 'lead' }).click();
    await first.page.getByRole('heading', { name: 'Circuits' }).waitFor();
    expect(await first.page.getByRole('button', { name: 'Force open' }).count()).toBe(0);

    const [doors, child] = await start({ targets: HEALTHY, server: { admin_service: true }, log: { level: 'error' } });
    const { page, faults } = await openPage(browser, doors.admin);
    await page.getByRole('button', { name: 'lead' }).click();
    const operate = page.getByRole('group', { name: 'Operate lead' });
    await operate.getByRole('button', { name: 'Disable' }).click();
    const dialog = page.getByRole('dialog', { name: 'Disable: lead' });
    await dialog.getByText('lead is out of use as a whole.').waitFor();
    // Who presses Enter out of habit does nothing.
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'hidden' });
    expect(await page.getByRole('row', { name: /^disabled/ }).count()).toBe(0);
    await operate.getByRole('button', { name: 'Disable' }).click();
    await dialog.getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('row', { name: /^disabled lead/ }).waitFor();
    await child.printed('"rpc.method":"understudy.v1.AdminService/ForceCircuit"');
    await operate.getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
    await page.getByRole('row', { name: /^idle lead/ }).waitFor();
    expect(faults).toEqual([]);
  });

  test('shows callers with their budgets, costs of today, and trails from the ledger', async () => {
    const sha256 = '2c70e12b7a0646f92279f427c7b38e7334d8e5389cff167a1dc30e73f826b683';
    const config: ConfigInput = {
      targets: [target('lead', 'gpt-6.1-sol')],
      callers: [{ name: 'billing', group: 'backend', api_keys: [{ sha256 }], budget: { usd: '5.00', per: 'day' } }],
      groups: [{ name: 'backend', budget: { usd: '20.00', per: 'month' } }],
      ledger: { sqlite: 'usage.db' },
    };
    const path = await configFile(config);
    const begin = async () => {
      const child = startUnderstudy(['--config', path]);
      onTestFinished(() => child.close());
      return [await child.doors, child] as const;
    };
    const [doors, child] = await begin();
    const headers = { authorization: 'Bearer key', 'x-request-id': 'kept-1' };
    expect(await ask(doors, {}, headers)).toBe(200);
    const { page } = await openPage(browser, doors.admin);
    const callers = page.getByRole('table', { name: 'Callers' });
    await callers.getByRole('row', { name: /^billing backend 1 0 1 \$0\.0\d+ .*left of \$5\.00 per day/ }).waitFor();
    await callers.getByRole('row', { name: /^backend group .*left of \$20\.00 per month/ }).waitFor();
    child.kill('SIGINT');
    await child.ended;
    const [again] = await begin();
    const second = await openPage(browser, `${again.admin}/#request=kept-1`);
    const trail = second.page.getByRole('dialog', { name: 'Request kept-1' });
    await trail.getByText('answered by lead').waitFor();
    expect(await trail.textContent()).toContain('the ledger: without waits');
    await second.page.keyboard.press('Escape');
    await second.page.getByText('as the ledger has it').waitFor();
    expect(await second.page.getByRole('row', { name: /^idle lead .*\$0\.0\d+$/ }).count()).toBe(1);
  });
});

test('what is told holds no prompt, and is told at the admin address alone', async () => {
  const [doors] = await start({ targets: [target('lead', 'mock-echo')] });
  await ask(doors, { prompt: 'the secret of the sphinx' }, { 'x-request-id': 'asked-1' });
  const trail = await (await fetch(`${doors.admin}/trail?request_id=asked-1`)).text();
  const told = await firstStatus(doors.admin);
  for (const text of [trail, told]) {
    expect(text).toContain('lead');
    expect(text).not.toMatch(/sphinx|"k"/);
  }
  for (const path of ['/status', '/trail?request_id=asked-1', '/page/main.js']) {
    expect((await fetch(doors.web + path)).status, path).toBe(404);
  }
  expect((await fetch(`${doors.admin}/status`, { headers: { origin: 'https://evil.example' } })).status).toBe(403);
  const page = await fetch(doors.admin, { headers: { accept: 'text/html' } });
  expect(page.headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  expect(await (await fetch(doors.admin)).text()).toContain(`${doors.admin}/metrics`);
});
