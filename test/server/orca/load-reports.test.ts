import { fromBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { OrcaLoadReportSchema } from '../../../gen/xds/data/orca/v3/orca_load_report_pb.ts';
import { LoadReports } from '../../../src/server/orca/load-reports.ts';
import type { LoadFigures } from '../../../src/server/port/load-figures.ts';
import { loadFigures } from '../support/load-figures.ts';

const utilization = (changes: Partial<LoadFigures>): number =>
  new LoadReports(() => loadFigures(changes)).report().applicationUtilization;

test('a report has what balancers reckon with', () => {
  const figures = loadFigures();
  expect(new LoadReports(() => figures).report()).toMatchObject({
    applicationUtilization: 0.5,
    cpuUtilization: 0.3,
    memUtilization: 0.25,
    rpsFractional: 40,
    eps: 2,
    namedMetrics: { admission_utilization: 0.1 },
  });
});

test('utilization is the share of the event loop, or of the slots where less of them is left', () => {
  expect(utilization({ loopShare: 0.01, slotsShare: 0 })).toBe(0.01);
  expect(utilization({ loopShare: 0.01, slotsShare: 0.4 })).toBe(0.4);
  expect(utilization({ loopShare: 0.6, slotsShare: 0.4 })).toBe(0.6);
});

test('above the soft limit it rises steeply, so that a gateway that is busy with cheap calls gets no more of them', () => {
  expect(utilization({ loopShare: 0.7 })).toBeCloseTo(1.4);
  expect(utilization({ loopShare: 1 })).toBeCloseTo(3.8);
  // Weights are calls over utilization: as many calls of the same kind on twice the load get less than half the weight.
  const weight = (loopShare: number, calls: number): number => calls / utilization({ loopShare, slotsShare: 0 });
  expect(weight(0.95, 7_000)).toBeLessThan(weight(0.05, 200));
});

test('the report of a call is made anew only where the figures have changed', () => {
  let figures = loadFigures();
  const reports = new LoadReports(() => figures);
  const first = reports.trailers();
  expect(reports.trailers()).toBe(first);
  figures = loadFigures({ callsPerSecond: 50 });
  const [[name, value] = []] = Object.entries(reports.trailers());
  expect(name).toBe('endpoint-load-metrics-bin');
  expect(value).toMatch(/^[\w+/]+$/);
  expect(fromBinary(OrcaLoadReportSchema, Buffer.from(value ?? '', 'base64')).rpsFractional).toBe(50);
});
