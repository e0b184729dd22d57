import { expect, test } from 'vitest';

import { createPeopleFormat } from '../../../src/telemetry/logging/line-format.ts';

const CALL = {
  level: 'warn',
  time: 1_796_006_368_816,
  'understudy.request_id': 'id-1',
  'rpc.method': 'understudy.v1.LlmService/StreamChat',
  'rpc.status_code': 'UNAVAILABLE',
  'error.type': 'ALL_PROVIDERS_FAILED',
  'gen_ai.request.model': 'mock-500',
  'understudy.duration_ms': 1_234.5,
  'understudy.cost.nano_usd': 81_000,
  'understudy.labels': { team: 'a' },
  'understudy.trail': [{}, {}],
  msg: 'call ended',
};

test('a call is one line that says what people ask first', () => {
  const line = createPeopleFormat(false)(`${JSON.stringify(CALL)}\n`);
  expect(line).toMatch(/^\d\d:\d\d:\d\d\.816 warn {2}StreamChat {2}UNAVAILABLE {2}ALL_PROVIDERS_FAILED {2}mock-500 /);
  expect(line).toMatch(/ 1235 ms {2}\$0\.000081 {2}2 attempts {2}id-1 labels=\{"team":"a"\}\n$/);
});

test('other lines have their sentence and their fields', () => {
  const line = { level: 'info', time: 0, msg: 'SIGTERM: bye', 'understudy.target': 'lead' };
  expect(createPeopleFormat(false)(JSON.stringify(line))).toMatch(/ info {2}SIGTERM: bye target=lead\n$/);
});

test('colours come where they are wanted, and nothing of a field controls the terminal', () => {
  const line = JSON.stringify({ level: 'error', time: 0, msg: 'x', 'understudy.target': '\u001B[2J\nnext' });
  expect(createPeopleFormat(true)(line)).toContain('\u001B[31merror\u001B[39m');
  expect(createPeopleFormat(false)(line)).not.toContain('\u001B');
  expect(createPeopleFormat(false)(line).split('\n')).toHaveLength(2);
});

test('what is no line of the log is passed on', () => {
  expect(createPeopleFormat(true)('something else\n')).toBe('something else\n');
});
