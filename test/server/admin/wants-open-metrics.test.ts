import { expect, test } from 'vitest';

import { wantsOpenMetrics } from '../../../src/server/admin/wants-open-metrics.ts';

const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,' +
  'text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2';

test.each([
  [undefined, false],
  ['*/*', false],
  ['text/html,*/*;q=0.8', false],
  [PROMETHEUS_3, true],
  ['application/openmetrics-text', true],
  ['Application/OpenMetrics-Text; version=1.0.0', true],
  ['application/openmetrics-text; version=2.0.0', false],
  ['application/openmetrics-text;q=0', false],
  ['text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5', false],
])('%s', (accept, wants) => {
  expect(wantsOpenMetrics(accept)).toBe(wants);
});
