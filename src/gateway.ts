import { createConfig, type CreateOptions } from './config/load.ts';
import { ConfigError } from './config/port/problem.ts';
import { PACKAGE_VERSION } from './config/package-version.ts';
import type { System } from './core/ports.ts';
import { wireGateway } from './wire-gateway.ts';
import { embedGateway, type EmbeddedGateway } from './server/handlers/embedded-gateway.ts';
import type { GatewaySnapshot } from './server/handlers/wired-gateway.ts';
import { system as realSystem } from './system.ts';

/** What {@link createGateway} is told. */
export interface GatewayOptions extends CreateOptions {
  /**
   * What another gateway knew: targets of the same names go on from there, so that a new configuration closes no open circuit
   * and forgets no rate limit. Suspensions are not in it, nor do circuits of models count that the configuration names no more:
   * a new key, credit or model may be the very reason for the change.
   */
  readonly snapshot?: GatewaySnapshot | undefined;
}

/**
 * Makes a gateway for a TypeScript program, without any server.
 *
 * @param options.config a configuration of the same shape as the file
 * @param options.env names like those of the environment, such as `{ OPENAI_API_KEY: … }`; nothing is read from the process
 * @param options.snapshot what another gateway knew of its targets
 * @throws ConfigError naming every field that is wrong; callers are, too, for nobody would hold them to their limits and budgets
 */
export function createGateway(options: GatewayOptions = {}, system: System = realSystem): EmbeddedGateway {
  const { snapshot } = options;
  const config = createConfig(options);
  if (config.callers !== undefined) {
    const message = 'callers are known at the doors, which a gateway within a program has not: leave them out';
    throw new ConfigError([{ path: 'callers', message }]);
  }
  const gateway = wireGateway({ config, version: PACKAGE_VERSION, system, snapshot });
  // What cannot be written waits in the journal.
  gateway.open().catch(() => undefined);
  return embedGateway(gateway, system);
}
