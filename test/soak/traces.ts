import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import { Recovery } from '../../gen/understudy/v1/routing_pb.ts';
import { say } from '../support/chat-samples.ts';
import { freePort } from '../support/free-port.ts';
import { openRpcClient } from '../support/rpc-client.ts';
import { startUnderstudy } from '../support/understudy-process.ts';

// Shows the trace of a call with a failover and a restart as a collector of OpenTelemetry has received it, over HTTP and over gRPC
// (npm run soak:traces). Builds the collector of test/soak/collector, which takes Go and some minutes the first time.

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PROMPT = 'planted-prompt';
/** How long the collector may take to write what it got, in milliseconds. */
const RECEIVE_MS = 20_000;

/** What the collector writes of a span. */
interface WrittenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

function buildCollector(folder: string): string {
  cpSync(fileURLToPath(new URL('collector', import.meta.url)), folder, { recursive: true });
  const go = (...args: readonly string[]): void => {
    execFileSync('go', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  go('mod', 'tidy');
  go('build', '-o', 'collector', '.');
  return join(folder, 'collector');
}

/** Makes the call, and returns the spans of it that the collector has written. */
async function traced(protocol: string, port: number, written: string): Promise<readonly WrittenSpan[]> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-traced-'));
  const config = join(folder, 'understudy.json');
  const mocked = (name: string, provider: string, model: string) => ({ name, provider, model, mock: true });
  const targets = [
    mocked('busy', 'openai', 'mock-500'),
    mocked('cut', 'anthropic', 'mock-stream-cut'),
    mocked('good', 'anthropic', 'mock-ok'),
  ];
  writeFileSync(config, JSON.stringify({ targets }));
  const gateway = startUnderstudy(['--config', config], {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_METRICS_EXPORTER: 'none',
  });
  const { grpc } = await gateway.doors;
  const client = openRpcClient(grpc);
  const request = { messages: [say(Role.USER, PROMPT)], recovery: Recovery.RESTART };
  const metadata = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
  await client.stream(LlmService.method.streamChat, request, { metadata }).done;
  client.close();
  // What waits is sent at the end.
  gateway.kill('SIGINT');
  await gateway.ended;
  rmSync(folder, { recursive: true });
  for (const giveUpAtMs = performance.now() + RECEIVE_MS; performance.now() < giveUpAtMs; await sleep(100)) {
    const spans = existsSync(written) ? readSpans(readFileSync(written, 'utf8')) : [];
    if (spans.length > 0) return spans;
  }
  return [];
}

/** Reads what the collector has written, which is JSON of OTLP. */
function readSpans(text: string): readonly WrittenSpan[] {
  if (text.includes(PROMPT)) throw new Error('the prompt is in a span');
  return [...text.matchAll(/\{"traceId":"[^"]+","spanId":.*?"endTimeUnixNano":"\d+"/g)].map(
    ([span]) => JSON.parse(`${span}}`) as WrittenSpan,
  );
}

/** Writes the tree of a call: times in milliseconds from its beginning. */
function treeOf(spans: readonly WrittenSpan[]): string {
  const [call, ...children] = spans;
  const startNs = BigInt(call?.startTimeUnixNano ?? 0);
  const ms = (ns: string): string => (Number(BigInt(ns) - startNs) / 1e6).toFixed(1).padStart(8);
  const line = ({ name, startTimeUnixNano, endTimeUnixNano }: WrittenSpan, indent: string): string =>
    `${ms(startTimeUnixNano)} to ${ms(endTimeUnixNano)} ms  ${indent}${name}`;
  return [...(call === undefined ? [] : [line(call, '')]), ...children.map((span) => line(span, '  '))].join('\n');
}

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-collector-'));
  const written = join(folder, 'spans.json');
  const [http, grpc] = [await freePort(), await freePort()];
  const config = {
    receivers: {
      otlp: { protocols: { http: { endpoint: `127.0.0.1:${http}` }, grpc: { endpoint: `127.0.0.1:${grpc}` } } },
    },
    exporters: { file: { path: written, flush_interval: '100ms' } },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['file'] } },
    },
  };
  writeFileSync(join(folder, 'collector.json'), JSON.stringify(config));
  const program = buildCollector(folder);
  let isWhole = true;
  for (const [protocol, port] of [['http/protobuf', http] as const, ['grpc', grpc] as const]) {
    rmSync(written, { force: true });
    const collector = spawn(program, ['--config', join(folder, 'collector.json')], { stdio: 'ignore' });
    const spans = await traced(protocol, port, written);
    console.log(`As received over ${protocol}:\n${treeOf(spans)}\n`);
    const parent = spans[0]?.spanId;
    isWhole &&= spans.length >= 5 && spans.slice(1).every((span) => span.parentSpanId === parent);
    isWhole &&= spans.every(({ traceId }) => traceId === TRACE);
    collector.kill('SIGKILL');
  }
  rmSync(folder, { recursive: true });
  console.log(isWhole ? 'Verdict: the traces are whole.' : 'Verdict: FAILED');
  return isWhole ? 0 : 1;
}

process.exitCode = await main();
