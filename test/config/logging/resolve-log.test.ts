import { describe, expect, test } from 'vitest';

import { configErrorOf, loadEnvironment, loadText } from '../loading.ts';

describe('the section log', () => {
  test('has a line for every call unless it says otherwise', () => {
    expect(loadText('').log).toEqual({ level: 'info', goodShare: 1 });
    expect(loadText('log: { level: warn, good_calls: 0.01 }').log).toEqual({ level: 'warn', goodShare: 0.01 });
    expect(loadText('log: { good_calls: none }').log.goodShare).toBe(0);
    expect(loadText('log: { good_calls: 1 }').log.goodShare).toBe(1);
  });

  test('gives way to the level of the environment', () => {
    expect(loadEnvironment({ UNDERSTUDY_LOG_LEVEL: 'ERROR' }).log.level).toBe('error');
    expect(loadText('log: { level: warn }', { UNDERSTUDY_LOG_LEVEL: ' info ' }).log.level).toBe('info');
    expect(loadText('log: { level: warn }', { UNDERSTUDY_LOG_LEVEL: '' }).log.level).toBe('warn');
  });

  test.each([
    ['log: { level: loud }', 'log.level: must be info, warn or error, not "loud"'],
    ['log: { good_calls: some }', 'log.good_calls: must be all, none, or a share from 0 to 1 such as 0.01, not "some"'],
    ['log: { good_calls: 2 }', 'log.good_calls: must be all, none, or a share from 0 to 1 such as 0.01, not 2'],
    ['log: []', 'log: must be a mapping, not a list'],
  ])('refuses %s', (text, message) => {
    expect(configErrorOf(() => loadText(text))).toBe(message);
  });

  test('refuses a level of the environment that is none, by its name', () => {
    expect(configErrorOf(() => loadEnvironment({ UNDERSTUDY_LOG_LEVEL: 'debug' }))).toBe(
      'UNDERSTUDY_LOG_LEVEL: must be info, warn or error, not "debug"',
    );
  });
});
