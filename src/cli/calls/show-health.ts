import { toJson } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { ConnectError, createClient, type Transport } from '@connectrpc/connect';

import { Health, HealthCheckResponse_ServingStatus as Serving } from '../../../gen/grpc/health/v1/health_pb.ts';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import { CircuitState, HealthStatus, type ProviderHealth } from '../../../gen/understudy/v1/health_pb.ts';
import { type HealthResponse, HealthResponseSchema, LlmService } from '../../../gen/understudy/v1/llm_pb.ts';
import { alignedTable, printable } from '../../config/port/aligned-table.ts';
import type { Timers } from '../../core/ports.ts';
import type { HealthFlags } from '../command-line.ts';
import { EXIT, type ExitStatus } from '../terminal/exit-status.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { shownMs, shownUsd } from './answer-facts.ts';
import { printJson } from './ask-once.ts';
import { readCallError } from './call-error.ts';
import { enumName } from './enum-name.ts';
import { withDeadline } from '../connection/gateway-connection.ts';
import { pause } from './pause.ts';
import { tellError } from './told-error.ts';

const TIMEOUT_MS = 5_000;

/** To the upper left corner, and nothing below: what was shown before is written over. */
const REDRAW = '\u001B[H\u001B[J';

/** What shows the health of a gateway. */
export interface HealthContext {
  readonly transport: Transport;
  readonly terminal: Terminal;
  readonly flags: HealthFlags;
  readonly address: string;
  readonly signal: AbortSignal;
  readonly timers: Timers;
}

/** Shows how the targets are doing. Rejects with the error of the call; with `watch` it goes on until the signal aborts. */
export async function showHealth(context: HealthContext): Promise<ExitStatus> {
  const { transport, terminal, flags, address, signal } = context;
  if (flags.service !== undefined) return showServing(flags.service, context);
  const client = createClient(LlmService, transport);
  const ask = async (): Promise<HealthResponse> => client.health({}, withDeadline(signal, flags.timeout ?? TIMEOUT_MS));
  if (!flags.watch) {
    const health = await ask();
    if (flags.json) printJson(terminal, HealthResponseSchema, health);
    else terminal.draw(`${healthText(health, address, terminal)}\n`);
    return statusOf(health, flags.strict ?? false);
  }
  let shown = '';
  let failed = '';
  for (;;) {
    try {
      const health = await ask();
      const { uptime: _uptime, ...facts } = health;
      const text = JSON.stringify(toJson(HealthResponseSchema, { ...facts }));
      failed = '';
      if (terminal.isTerminal && !flags.json) {
        terminal.draw(`${REDRAW}${healthText(health, address, terminal)}\n`);
      } else if (text !== shown) {
        terminal.draw(flags.json ? `${text}\n` : `${healthText(health, address, terminal)}\n\n`);
      }
      shown = text;
    } catch (error) {
      if (signal.aborted || !(error instanceof ConnectError)) throw error;
      const told = readCallError(error);
      if (told.code !== failed) tellError(told, address, terminal, flags.json ?? false);
      failed = told.code;
      shown = '';
    }
    await pause(flags.interval, signal, context.timers);
  }
}

/** Asks `grpc.health.v1`. */
async function showServing(
  service: string,
  { transport, terminal, flags, signal }: HealthContext,
): Promise<ExitStatus> {
  const client = createClient(Health, transport);
  const show = (status: Serving): void => {
    const name = enumName(Serving, status);
    terminal.print(flags.json ? `${JSON.stringify({ service, status: name })}\n` : `${name}\n`);
  };
  if (!flags.watch) {
    const { status } = await client.check({ service }, withDeadline(signal, flags.timeout ?? TIMEOUT_MS));
    show(status);
    return status === Serving.SERVING ? EXIT.ok : EXIT.unavailable;
  }
  const options = flags.timeout === undefined ? { signal } : withDeadline(signal, flags.timeout);
  for await (const { status } of client.watch({ service }, options)) show(status);
  return EXIT.unavailable;
}

function statusOf({ status }: HealthResponse, isStrict: boolean): ExitStatus {
  if (status === HealthStatus.SERVING || (status === HealthStatus.DEGRADED && !isStrict)) return EXIT.ok;
  return EXIT.unavailable;
}

function healthText(
  { status, version, uptime, providers }: HealthResponse,
  address: string,
  terminal: Terminal,
): string {
  const name = enumName(HealthStatus, status);
  const color = status === HealthStatus.SERVING ? 'green' : status === HealthStatus.DEGRADED ? 'yellow' : 'red';
  const up = uptime === undefined ? '' : `, up ${shownSpan(uptime)}`;
  const head = `${terminal.style(color, name)}  Understudy ${printable(version)} at ${address}${up}`;
  const heading = ['target', 'provider', 'state', 'success', 'p50', 'p95', 'first p95', 'now', 'attempts', 'failed'];
  const table = alignedTable([...heading, 'tokens', 'cost', 'last error'], providers.map(rowOf));
  return table === '' ? `${head}\n\nNo provider is configured.` : `${head}\n\n${table}`;
}

function rowOf(target: ProviderHealth): readonly string[] {
  return [
    target.target,
    target.provider,
    stateOf(target),
    target.successRate === undefined ? '' : `${Math.round(target.successRate * 100)} %`,
    shownMs(target.latencyP50Ms),
    shownMs(target.latencyP95Ms),
    shownMs(target.firstOutputP95Ms),
    String(target.inFlight),
    String(target.requests),
    String(target.failures),
    String(target.tokensUsed),
    target.costNanoUsd === undefined ? '' : shownUsd(target.costNanoUsd),
    target.lastError === ErrorReason.UNSPECIFIED ? '' : enumName(ErrorReason, target.lastError),
  ];
}

/** Why no call goes to a target, or that one may. */
function stateOf({ healthy, suspendedReason, circuit, circuits, rateLimitedFor }: ProviderHealth): string {
  if (suspendedReason !== '') return `suspended: ${suspendedReason}`;
  if (circuit === CircuitState.OPEN) {
    const waits = circuits.flatMap(({ reopensIn }) => reopensIn ?? []).sort((a, b) => durationMs(a) - durationMs(b));
    const next = waits[0] === undefined ? '' : `, next try in ${shownSpan(waits[0])}`;
    return healthy ? `in part open${next}` : `open${next}`;
  }
  if (rateLimitedFor !== undefined) return `rate limited for ${shownSpan(rateLimitedFor)}`;
  if (circuit === CircuitState.HALF_OPEN) return 'half open';
  return healthy ? 'ok' : 'not usable';
}

/** `45 s`, `12 min`, `3 h`, `5 d`. */
function shownSpan(duration: Duration): string {
  const seconds = durationMs(duration) / 1_000;
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} d`;
}
