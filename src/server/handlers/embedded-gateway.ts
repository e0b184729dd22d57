import type { Runtime } from '../../core/ports.ts';
import type { GatewaySnapshot, WiredGateway } from './wired-gateway.ts';
import { LocalCalls } from './local-calls.ts';
import { createLocalClient } from './local-client.ts';
import type { LocalClient } from './local-client.ts';

/** A gateway in a program that embeds it. */
export interface EmbeddedGateway extends LocalClient {
  /** Returns what another gateway can go on from, such as one with a new configuration. */
  snapshot(): GatewaySnapshot;
  /**
   * Takes no new calls, lets those under way go on for a grace, ends what is left with UNAVAILABLE and the reason SHUTTING_DOWN, and
   * closes all connections to providers. Nothing is repeated any more meanwhile (engine rule D2).
   *
   * @param options.graceMs in milliseconds; default 0, which ends all calls at once
   */
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

/** Makes of a gateway what a program calls. */
export function embedGateway(
  gateway: Pick<WiredGateway, 'handlers' | 'port' | 'snapshot' | 'repeatNothing' | 'close'>,
  runtime: Pick<Runtime, 'random' | 'setTimer' | 'clearTimer'>,
): EmbeddedGateway {
  const calls = new LocalCalls({ newRequestId: () => gateway.port.newRequestId(), runtime });
  return {
    ...createLocalClient(gateway.handlers(), calls),
    snapshot: () => gateway.snapshot(),
    close: async ({ graceMs = 0 } = {}) => {
      gateway.repeatNothing();
      await calls.end(graceMs);
      await gateway.close();
    },
  };
}
