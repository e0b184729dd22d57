import { describe, expect, test } from 'vitest';

import { faultFields } from '../../../src/telemetry/logging/fault-origin.ts';

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe('the origin of a fault', () => {
  test('is its class and where it came from', () => {
    const fields = faultFields(thrownBy(() => JSON.parse('{sk-secret')));
    expect(fields['exception.type']).toBe('SyntaxError');
    expect(fields['exception.stacktrace']).toMatch(/^at .*fault-origin\.test\.ts:\d+:\d+\)?$/m);
    expect(JSON.stringify(fields)).not.toContain('secret');
  });

  test.each([
    ['a message of many lines', new Error('sk-secret\n    at sk-secret (file:///sk-secret:1:1)\nsk-secret')],
    ['a name that is none', Object.assign(new Error('x'), { name: 'sk-secret: said' })],
    ['a stack that is none', Object.assign(new Error('sk-secret'), { stack: 'Error: sk-secret' })],
    ['a message that was changed', Object.assign(new Error('sk-secret'), { message: 'other' })],
    ['a text', 'sk-secret'],
    ['an object', { message: 'sk-secret', stack: 'sk-secret' }],
    ['nothing', undefined],
  ])('never has the words of %s in it', (_, thrown) => {
    const fields = faultFields(thrown);
    expect(fields['exception.type']).toMatch(/^(Error|string|object|undefined)$/);
    expect(JSON.stringify(fields)).not.toContain('secret');
  });

  test('has at most 20 frames', () => {
    const deep = (left: number): unknown => (left === 0 ? new Error('x') : deep(left - 1));
    Error.stackTraceLimit = 100;
    const error = deep(50);
    Error.stackTraceLimit = 10;
    expect(String(faultFields(error)['exception.stacktrace']).split('\n')).toHaveLength(20);
  });
});
