import { expect, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { OpenRcaService } from '../../gen/xds/service/orca/v3/orca_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import { configFile } from '../support/config-file.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

// What has to do with the end is seen in time.
const CONFIG: ConfigInput = { targets: [{ name: 'mock', provider: 'mock' }], server: { drain: { pause: '5s' } } };

test('a process says what it has to do, and ends that as soon as it goes down', async () => {
  const gateway = startUnderstudy(['--config', await configFile(CONFIG)]);
  const client = openRpcClient((await gateway.doors).grpc);
  try {
    await client.call(LlmService.method.generate, { prompt: 'hello' });
    const reports = client.stream(OpenRcaService.method.streamCoreMetrics, {});
    const report = await reports.at(0);
    expect(report.rpsFractional).toBeGreaterThan(0);
    expect(report.applicationUtilization).toBeGreaterThan(0);
    expect(report.cpuUtilization).toBeGreaterThan(0);
    expect(report.memUtilization).toBeGreaterThan(0);
    expect(report.memUtilization).toBeLessThan(1);
    expect(report).toMatchObject({ eps: 0, namedMetrics: { admission_utilization: 0 } });
    gateway.kill('SIGTERM');
    await expect(reports.done).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(gateway.hasExited()).toBe(false);
    expect(await gateway.ended).toEqual({ code: 0, signal: null });
  } finally {
    client.close();
    await gateway.close();
  }
});
