import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { expect, test } from 'vitest';

import { watchSpanExporter } from '../../../src/telemetry/otlp/watched-exporter.ts';

/** Exports two spans with a result, and returns what was heard of it. */
function heardOf(result: ExportResult): readonly unknown[] {
  const heard: unknown[] = [];
  const exporter: SpanExporter = { export: (_spans, done) => done(result), shutdown: () => Promise.resolve() };
  const watched = watchSpanExporter(
    exporter,
    (spans) => heard.push(['taken', spans]),
    (spans, problem) => heard.push(['ended', spans, problem]),
  );
  const spans: ReadableSpan[] = [];
  spans.length = 2;
  watched.export(spans, (told) => heard.push(told));
  return heard;
}

test('an export that went well is told of without a problem', () => {
  const result = { code: ExportResultCode.SUCCESS };
  expect(heardOf(result)).toEqual([['taken', 2], ['ended', 2, undefined], result]);
});

test.each([
  ['a code of the network', Object.assign(new Error('planted'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  ['a status', Object.assign(new Error('planted'), { code: 401, data: 'planted' }), '401'],
  ['the code of what caused it', new Error('planted', { cause: { code: 'CERT_HAS_EXPIRED' } }), 'CERT_HAS_EXPIRED'],
  ['nothing but words', new Error('planted words'), 'UNKNOWN'],
  ['words for a code', Object.assign(new Error('planted'), { code: 'planted words' }), 'UNKNOWN'],
  ['nothing', undefined, 'UNKNOWN'],
])('one that failed with %s is told of in a word', (_name, error, word) => {
  const code = ExportResultCode.FAILED;
  expect(heardOf(error === undefined ? { code } : { code, error })[1]).toEqual(['ended', 2, word]);
});
