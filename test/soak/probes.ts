import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { setTimeout as passed } from 'node:timers/promises';

import { create, toBinary } from '@bufbuild/protobuf';
import { frame } from '../../bench/calls/frames.ts';
import { HealthCheckRequestSchema } from '../../gen/grpc/health/v1/health_pb.ts';
import { OpenRcaService } from '../../gen/xds/service/orca/v3/orca_pb.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { statusOfRaw } from '../support/raw-grpc.ts';
import { type ProcessDoors, startUnderstudy } from '../support/understudy-process.ts';
import { startCrowd } from './crowd.ts';

const HELP = `Usage: npm run soak:probes -- [--seconds 60] [--crowd 0]

Saturates the event loop of a gateway by crowds of one kind after the other, and probes it once a second as Kubernetes does: on a
new connection, with a second for the answer. Ends with 0 where every probe was answered in time.
`;

/** How long a probe waits, in milliseconds: the default of Kubernetes. */
const PATIENCE_MS = 1_000;
/** Until what a crowd runs through is compiled. */
const WARM_UP_MS = 5_000;
const CROWDS = [
  { callers: 1_000, promptBytes: 300 },
  { callers: 600, promptBytes: 120 * 1024 },
  { callers: 60, promptBytes: 3 * 1024 * 1024 },
];

/** Each of them resolves when the gateway has said that it is alive, or ready. */
const PROBES: Readonly<Record<string, (doors: ProcessDoors) => Promise<boolean>>> = {
  'gRPC liveness': ({ grpc }) => checkHealth(grpc, 'liveness'),
  'gRPC readiness': ({ grpc }) => checkHealth(grpc, 'readiness'),
  '/livez': ({ admin }) => isOk(`${admin}/livez`),
  '/readyz': ({ web }) => isOk(`${web}/readyz`),
};

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '60' },
      crowd: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'understudy-probes-'));
  const config = join(folder, 'understudy.json');
  await writeFile(config, JSON.stringify({ targets: [{ name: 'mock', provider: 'mock' }] }));
  let late = 0;
  console.log('crowd                   probe           in time     p50    p99  longest');
  for (const { callers, promptBytes } of values.crowd === undefined
    ? CROWDS
    : CROWDS.slice(Number(values.crowd)).slice(0, 1)) {
    const gateway = startUnderstudy(['--config', config]);
    try {
      const doors = await gateway.doors;
      const crowd = startCrowd(doors.grpc, callers, promptBytes);
      // Node takes one connection in a turn of the loop, and probes would wait behind those of the crowd.
      await crowd.served;
      await passed(WARM_UP_MS);
      const [usedMs, beganAt] = [await cpuMs(gateway.pid), performance.now()];
      const took = await probe(doors, Number(values.seconds));
      const share = ((await cpuMs(gateway.pid)) - usedMs) / (performance.now() - beganAt);
      const ends = JSON.stringify(crowd.ends());
      console.log(
        `it had ${(100 * share).toFixed(0)} % of a core; calls by gRPC status ${ends}, application_utilization ${(await utilization(doors.grpc)).toFixed(1)}`,
      );
      await crowd.leave();
      for (const [name, times] of Object.entries(took)) {
        const inTime = times.filter((ms) => ms <= PATIENCE_MS).length;
        late += times.length - inTime;
        const sorted = times.toSorted((one, other) => one - other);
        const at = (share: number): string =>
          (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(0).padStart(6);
        const who = `${callers} x ${promptBytes} bytes`.padEnd(22);
        console.log(
          `${who}  ${name.padEnd(14)}  ${`${inTime}/${times.length}`.padStart(7)}  ${at(0.5)} ${at(0.99)}  ${at(1)}`,
        );
      }
    } finally {
      await gateway.close();
    }
  }
  await rm(folder, { recursive: true });
  console.log(late === 0 ? 'Verdict: every probe was answered.' : `Verdict: ${late} probes were not answered in time`);
  return late === 0 ? 0 : 1;
}

/** Sends every probe once a second, and returns how long each took, in milliseconds; Infinity where it failed. */
async function probe(doors: ProcessDoors, seconds: number): Promise<Readonly<Record<string, readonly number[]>>> {
  const took: Record<string, number[]> = {};
  const under: Promise<void>[] = [];
  for (let second = 0; second < seconds; second++) {
    for (const [name, send] of Object.entries(PROBES)) {
      const beganAt = performance.now();
      const end = send(doors).then(
        (isGood) => {
          (took[name] ??= []).push(isGood ? performance.now() - beganAt : Infinity);
        },
        () => {
          (took[name] ??= []).push(Infinity);
        },
      );
      under.push(end);
    }
    await passed(1_000);
  }
  await Promise.all(under);
  return took;
}

/** Returns the CPU that a process has used, in milliseconds; clocks tick a hundred times a second. Linux. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Returns the `application_utilization` of the last ten seconds. */
async function utilization(address: string): Promise<number> {
  const client = openRpcClient(address);
  try {
    const reports = client.stream(OpenRcaService.method.streamCoreMetrics, {});
    const report = await reports.at(0);
    reports.cancel();
    return report.applicationUtilization;
  } finally {
    client.close();
  }
}

async function checkHealth(address: string, service: string): Promise<boolean> {
  const session = connect(`http://${address}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': '/grpc.health.v1.Health/Check',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  stream.end(frame(toBinary(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }))));
  const status = await statusOfRaw(stream);
  session.destroy();
  return status === '0';
}

async function isOk(url: string): Promise<boolean> {
  const { ok } = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(10_000) });
  return ok;
}

process.exitCode = await main();
