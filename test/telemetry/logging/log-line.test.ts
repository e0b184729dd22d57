import { describe, expect, test } from 'vitest';

import { logLine } from '../../../src/telemetry/logging/log-line.ts';

describe('a line of the log', () => {
  test('has level, time, the fields in their order, and the message', () => {
    const fields = { 'understudy.target': 'a', tokens: 3, trail: [{ number: 1, code: undefined }] };
    expect(logLine('warn', 1_795_305_600_000, fields, 'call ended')).toBe(
      '{"level":"warn","time":1795305600000,"understudy.target":"a","tokens":3,"trail":[{"number":1}],"msg":"call ended"}\n',
    );
  });

  test('leaves out what has no value, and all fields where none has', () => {
    expect(logLine('info', 1, { trace_id: undefined }, 'started')).toBe('{"level":"info","time":1,"msg":"started"}\n');
    expect(logLine('info', 1, {}, 'started')).toBe('{"level":"info","time":1,"msg":"started"}\n');
  });

  test('is one line of well-formed JSON whatever stands in it', () => {
    const text = 'a "b"\n\u2028\ud800';
    const line = logLine('error', 1, { text }, text);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(line.isWellFormed()).toBe(true);
    expect(JSON.parse(line)).toEqual({ level: 'error', time: 1, text, msg: text });
  });
});
