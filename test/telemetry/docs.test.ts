import { describe, expect, test } from 'vitest';

import { createCallLog } from '../../src/telemetry/logging/log.ts';
import { createMetrics } from '../../src/telemetry/metering/metrics.ts';
import { ByteBudget } from '../../src/server/wire/byte-budget.ts';
import { callerOf, cents } from '../support/caller-accounts.ts';
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';
import { engineLoad, failedAttempt, failedEnd, healthyTarget, okAttempt, okEnd } from './ends.ts';
import { parseExposition } from './exposition.ts';

const PAGE = readFromRoot('docs/metrics.md');

/** The rows of the table below a heading, as cells without their backticks. */
function rowsBelow(heading: string): readonly (readonly string[])[] {
  return tableBelow(PAGE, heading).map((cells) => cells.map((cell) => cell.replaceAll('`', '')));
}

function documentedFields(heading: string): readonly string[] {
  return rowsBelow(heading)
    .map(([field = '']) => field)
    .sort();
}

describe('docs/metrics.md', () => {
  const caller = callerOf('billing', { group: 'backend', budgets: [cents(100)] });
  const metrics = createMetrics({
    version: '1.2.3',
    transfers: new ByteBudget(1024),
    spentOf: () => [{ per: 'day', nanoUsd: 1n }],
    limitStore: {
      isUp: true,
      timeouts: 1,
      withoutStore: { refused: 1, counted_in_memory: 1 },
      onAnswer: (took) => took(1),
    },
    exports: { exports: { traces: { ok: 1, failed: 2 }, metrics: { ok: 3, failed: 4 } }, spansLost: 5 },
    ledger: { waiting: 1, journalBytes: 2, written: 3, dropped: 4, failures: 5, storeGoneSinceMs: undefined },
  });
  metrics.callEnded(failedEnd({ caller, refusedBy: 'budget' }));
  metrics.callEnded(okEnd({ caller, attempts: [failedAttempt(), okAttempt(), okAttempt({}, { source: 'UNKNOWN' })] }));
  metrics.callEnded(failedEnd());
  metrics.unknownEvent('openai', 'openai');
  metrics.tlsHappened({
    kind: 'loaded',
    section: 'server.tls',
    isFirst: true,
    names: 'DNS:localhost',
    expiresAtMs: 1,
    expires: '1970-01-01T00:00:00.001Z',
  });
  metrics.tlsHappened({ kind: 'refused', listener: 'web door', why: 'A client certificate is required' });
  metrics.credentialsRefused('missing');
  metrics.pricesHold({ version: '1', checkedAtMs: 1 });
  const counted = metrics.calls.started('understudy.v1.LlmService/Chat');
  counted({ status: 0, durationMs: 1, receivedBytes: 2, sentBytes: 3 });

  test('lists every metric of ours with its type and its labels', async () => {
    const { types, samples } = parseExposition((await metrics.render([healthyTarget()], engineLoad())).body);
    const ours = [...types].filter(([name]) => !/^(nodejs|process)_/.test(name));
    const described = ours.map(([name, type]) => {
      const labels = samples
        .filter((sample) => [name, `${name}_bucket`].includes(sample.name))
        .flatMap((sample) => Object.keys(sample.labels))
        .filter((label) => label !== 'le');
      return [name, type, ...[...new Set(labels)].sort()].join(' ');
    });
    const documented = rowsBelow('## Metrics').map(([name = '', type = '', labels = '']) =>
      [name, type, ...labels.split(', ').sort()].join(' ').trim(),
    );
    expect(documented.length).toBeGreaterThan(10);
    expect(documented.sort()).toEqual(described.sort());
  });

  test('lists every metric of the process', async () => {
    const { types } = parseExposition((await metrics.render([healthyTarget()], engineLoad())).body);
    const documented = documentedFields('### Of the process');
    for (const name of types.keys()) {
      if (/^(nodejs|process)_/.test(name)) expect(documented).toContain(name);
    }
    if (process.platform === 'linux') expect([...types.keys()]).toEqual(expect.arrayContaining([...documented]));
  });

  test('lists every field of the log', () => {
    const lines: Record<string, unknown>[] = [];
    let nowMs = 0;
    const log = createCallLog({
      write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>),
      wall: () => 1_795_305_600_000,
      now: () => nowMs,
      goodShare: 0.5,
      random: () => 0,
    });
    const { firstOutputMs, usage: counted } = okAttempt().record;
    const usage = { ...counted, serviceTier: 'flex' };
    const trail = [failedAttempt({}, { firstOutputMs, usage, waitBeforeMs: 5 })];
    const outcome = { status: 'ABORTED', reason: 'STREAM_INTERRUPTED' } as const;
    const trace = { traceId: 'a', spanId: 'b', isSampled: true, attemptSpanIds: [], attempt: () => [] };
    log.callEnded(okEnd({ caller, outcome, attempts: trail, skipsLeftOut: 1, trace }));
    log.flush();
    const refused = {
      class: 'auth',
      reason: 'PROVIDER_AUTH_FAILED',
      httpStatus: 401,
      providerCode: 'invalid',
    } as const;
    for (nowMs of [0, 1, 60_000]) log.alert('openai', refused);
    const act = { peer: '127.0.0.1:9', target: 'openai', circuit: 'm', state: 'OPEN', status: 'INTERNAL' } as const;
    log.operatorActed({ method: 'ForceCircuit', ...act, reason: 'INTERNAL' });
    const thrown = new TypeError('a fault');
    for (nowMs of [60_000, 60_001, 120_000]) log.fault(thrown);
    for (nowMs of [60_000, 60_001, 120_000]) log.exportFailed('traces', 'ECONNREFUSED');
    log.callEnded(okEnd());
    log.flush();
    const [ended = {}, , alert = {}, acted = {}, , fault = {}, , failed = {}, good = {}] = lines;
    const call: Readonly<Record<string, unknown>> = { ...good, ...ended };
    expect(Object.keys(call).sort()).toEqual(documentedFields("### Fields of a call's line"));
    expect(Object.keys(alert).sort()).toEqual(documentedFields("### Fields of an alert's line"));
    expect(Object.keys(acted).sort()).toEqual(documentedFields("### Fields of an operator's line"));
    expect(Object.keys(fault).sort()).toEqual(documentedFields('### Fields of the line about a fault'));
    expect(Object.keys(failed).sort()).toEqual(documentedFields('### The line about exports'));
    const [entry = {}] = call['understudy.trail'] as object[];
    expect(Object.keys(entry).sort()).toEqual(documentedFields('### Fields of an entry of the trail'));
  });
});
