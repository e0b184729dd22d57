import { expect, onTestFinished, test } from 'vitest';

import { startUnderstudy } from '../support/understudy-process.ts';
import { postJson, streamJson } from '../support/web-calls.ts';

/** Throws, at a signal, where no handler is: in a timer and in a promise that nobody has. */
const FAULTY = `process.on('SIGUSR2', () => {
  setTimeout(function inTimer() { throw new TypeError('sk-secret\\n    at sk-secret (file:///sk-secret:1:1)'); }, 0);
  void Promise.reject(new RangeError('sk-secret'));
});`;

test('what nobody catches is logged with where it came from, and neither ends the process nor the calls of others', async () => {
  const faulty = `--import=data:text/javascript,${encodeURIComponent(FAULTY)}`;
  const understudy = startUnderstudy(['--demo'], { NODE_OPTIONS: faulty });
  onTestFinished(() => understudy.close());
  const { web } = await understudy.doors;
  const messages = [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }];
  const stream = streamJson(web, 'StreamChat', { messages, model: 'mock-slow' });
  understudy.kill('SIGUSR2');
  await understudy.printed('RangeError');
  await understudy.printed('TypeError');
  const lines = understudy
    .stdout()
    .split('\n')
    .filter((line) => line.includes('uncaught fault of the gateway'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(2);
  const thrown = lines.find((line) => line['exception.type'] === 'TypeError');
  expect(thrown).toMatchObject({ level: 'error' });
  expect(thrown?.['exception.stacktrace']).toMatch(/^at .*node:internal\/timers:\d+:\d+/m);
  expect(understudy.stdout() + understudy.stderr()).not.toContain('sk-secret');
  expect((await stream).at(-1)).toEqual({});
  expect((await postJson(web, 'Chat', { messages })).status).toBe(200);
  understudy.kill('SIGTERM');
  expect((await understudy.ended).code).toBe(0);
});
