import type { CallLimits } from '../callers/port/call-limits.ts';
import type { DefaultModels } from '../catalogue/default-models.ts';
import type { System } from '../core/ports.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineSetup } from '../engine/setup.ts';
import type { CallEnd, GatewayPort } from '../server/port/gateway-port.ts';
import type { WiredConfig } from './wired-config.ts';

/** What calls share, by whichever configuration they are made. */
export interface LivePortParts {
  readonly version: string;
  readonly system: System;
  readonly engine: Engine;
  readonly defaults: DefaultModels;
  readonly limits: CallLimits;
  readonly beginTrace: GatewayPort['beginTrace'];
  /** Says that a call is under way; the returned function says that it is no more. */
  readonly callStarted: () => (() => void) | undefined;
  /** Hears of every finished call, and by which configuration it was made. */
  readonly callEnded: (call: CallEnd, wired: WiredConfig) => void;
}

/** What the doors see of a gateway. */
export interface LivePort {
  readonly port: GatewayPort;
  /** Has calls that begin from now on made by another configuration. Those under way keep to theirs. */
  readonly hold: (wired: WiredConfig, setup: EngineSetup) => void;
}

/** What holds for the calls that begin now. */
interface InForce {
  readonly wired: WiredConfig;
  readonly setup: EngineSetup;
  readonly port: GatewayPort;
}

/** Opens what the doors see, given what holds first. */
export function openPort(parts: LivePortParts, first: WiredConfig): LivePort {
  const { version, system, engine, defaults, limits, beginTrace, callStarted, callEnded } = parts;
  const startedAtMs = system.now();
  const portOf = (now: () => InForce): GatewayPort => ({
    inForce: () => now().port,
    version,
    beginTrace,
    plan: (request, streams, use, trace) => now().wired.plan(request, streams, use, trace),
    allowedTargets: (use) => now().wired.chains.targetsOf(use),
    limits,
    run: async (call) => {
      const ended = callStarted();
      const { wired, setup } = now();
      try {
        // Most calls have all their models, and need not wait a turn of the event loop for them.
        const filled = defaults.fill(call, wired.targets);
        return await engine.run(filled instanceof Promise ? await filled : filled, setup);
      } finally {
        ended?.();
      }
    },
    targets: () => engine.health(),
    costOfTarget: (target) => now().wired.accounting.costOfTarget(target),
    models: () => now().wired.models(),
    newRequestId: () => system.newId(),
    uptimeMs: () => system.now() - startedAtMs,
    get isUnauthenticated() {
      return now().wired.config.server.isUnauthenticated;
    },
    callEnded: (call) => callEnded(call, now().wired),
  });
  const inForceOf = (wired: WiredConfig, setup: EngineSetup): InForce => {
    const now: InForce = { wired, setup, port: portOf(() => now) };
    return now;
  };
  let inForce = inForceOf(first, engine.setup);
  return {
    port: portOf(() => inForce),
    hold: (wired, setup) => {
      inForce = inForceOf(wired, setup);
    },
  };
}
