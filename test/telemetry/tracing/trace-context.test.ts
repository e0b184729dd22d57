import { describe, expect, test } from 'vitest';

import { readTraceContext, traceparentOf } from '../../../src/telemetry/tracing/trace-context.ts';

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN_ID = '00f067aa0ba902b7';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

describe('traceparent', () => {
  test('names trace, span, and whether it is sampled', () => {
    expect(readTraceContext(TRACEPARENT, null)).toEqual({ traceId: TRACE_ID, spanId: SPAN_ID, isSampled: true });
    expect(readTraceContext(TRACEPARENT.replace(/01$/, '00'), null)?.isSampled).toBe(false);
    expect(readTraceContext(TRACEPARENT.replace(/01$/, '03'), null)?.isSampled).toBe(true);
  });

  test('of a version to come is read, with whatever stands behind the flags', () => {
    expect(readTraceContext(`cc-${TRACE_ID}-${SPAN_ID}-01-what-will-be`, null)?.traceId).toBe(TRACE_ID);
  });

  test.each([
    ['nothing', ''],
    ['another form', 'hello'],
    ['the version that is none', TRACEPARENT.replace(/^00/, 'ff')],
    ['upper case', TRACEPARENT.toUpperCase()],
    ['no trace', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
    ['no span', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
    ['more behind version 00', `${TRACEPARENT}-more`],
    ['two of them', `${TRACEPARENT}, ${TRACEPARENT}`],
  ])('that is %s is none', (_name, text) => {
    expect(readTraceContext(text, 'vendor=1')).toBeUndefined();
  });

  test('is written as it is read', () => {
    expect(traceparentOf(TRACE_ID, SPAN_ID, true)).toBe(TRACEPARENT);
  });
});

describe('tracestate', () => {
  test.each([
    ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    [' fw529a3039@dt=FfAAA , , x=1 ', 'fw529a3039@dt=FfAAA,x=1'],
    ['', undefined],
    ['no member', undefined],
    ['a=1,b', undefined],
    ['a=1\r\nhost: x', undefined],
    ['ä=1', undefined],
    [Array.from({ length: 33 }, (_, index) => `m${index}=1`).join(','), undefined],
    [`a=${'x'.repeat(600)}`, undefined],
  ])('%j is passed on as %j', (text, state) => {
    expect(readTraceContext(TRACEPARENT, text)?.state).toBe(state);
  });
});
