import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { ErrorReason } from '../../../gen/understudy/v1/error_pb.ts';
import {
  CircuitState,
  HealthStatus,
  type ProviderHealth,
  ProviderHealthSchema,
} from '../../../gen/understudy/v1/health_pb.ts';
import { type HealthResponse, HealthResponseSchema } from '../../../gen/understudy/v1/llm_pb.ts';
import { roundedMs } from '../../core/formats/rounded-ms.ts';
import type { TargetHealth } from '../../engine/port/call.ts';
import type { AllowedUse, GatewayPort } from '../port/gateway-port.ts';

/** Makes the response of Health: every target that the caller may use, in the order of the configuration. Calls no provider. */
export function healthResponse(
  gateway: Pick<
    GatewayPort,
    'targets' | 'costOfTarget' | 'version' | 'uptimeMs' | 'allowedTargets' | 'isUnauthenticated'
  >,
  use?: AllowedUse,
): HealthResponse {
  const allowed = use && gateway.allowedTargets?.(use);
  const targets = gateway.targets().filter(({ target }) => allowed?.has(target) !== false);
  return create(HealthResponseSchema, {
    status: overallStatus(targets),
    version: gateway.version,
    uptime: durationFromMs(Math.round(gateway.uptimeMs())),
    unauthenticated: gateway.isUnauthenticated ?? false,
    providers: targets.map((target) => providerHealth(target, gateway.costOfTarget(target.target))),
  });
}

function overallStatus(targets: readonly TargetHealth[]): HealthStatus {
  const available = targets.filter((target) => target.available).length;
  if (available === 0) return HealthStatus.NOT_SERVING;
  return available === targets.length ? HealthStatus.SERVING : HealthStatus.DEGRADED;
}

/** Makes what is told of one target. */
export function providerHealth(target: TargetHealth, costNanoUsd: bigint | undefined): ProviderHealth {
  return create(ProviderHealthSchema, {
    target: target.target,
    provider: target.provider,
    healthy: target.available,
    successRate: target.successRate,
    averageLatencyMs: roundedMs(target.averageLatencyMs),
    latencyP50Ms: roundedMs(target.latencyP50Ms),
    latencyP95Ms: roundedMs(target.latencyP95Ms),
    firstOutputP95Ms: roundedMs(target.firstOutputP95Ms),
    circuit: CircuitState[target.circuit],
    circuits: target.circuits.map(circuitOf),
    suspendedReason: target.suspendedReason ?? '',
    rateLimitedFor: durationOf(target.rateLimitedForMs),
    inFlight: target.inFlight,
    requests: BigInt(target.requests),
    failures: BigInt(target.failures),
    tokensUsed: BigInt(target.tokensUsed),
    costNanoUsd,
    lastError: target.lastError === undefined ? ErrorReason.UNSPECIFIED : ErrorReason[target.lastError],
  });
}

function circuitOf(circuit: TargetHealth['circuits'][number]) {
  return { model: circuit.model, state: CircuitState[circuit.state], reopensIn: durationOf(circuit.reopensInMs) };
}

function durationOf(
  ms: number | undefined,
): NonNullable<MessageInitShape<typeof ProviderHealthSchema>['rateLimitedFor']> | undefined {
  return ms === undefined ? undefined : durationFromMs(Math.ceil(ms));
}
