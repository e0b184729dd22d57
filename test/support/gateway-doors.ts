import type { Caller } from '../../src/callers/port/caller.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import { createConfig } from '../../src/config/load.ts';
import { wireGateway } from '../../src/wire-gateway.ts';
import type { EngineLoad } from '../../src/engine/port/engine-load.ts';
import type { GatewayPort } from '../../src/server/port/gateway-port.ts';
import { openGrpcDoor } from '../../src/server/grpc/native-door.ts';
import { Room } from '../../src/server/health/room.ts';
import { ServingStatus } from '../../src/server/health/serving-status.ts';
import { openWebDoor } from '../../src/server/web/http-door.ts';
import { system } from '../../src/system.ts';
import type { System } from '../../src/core/ports.ts';
import { asNamed } from './named-callers.ts';
import type { RpcClient } from './rpc-client.ts';
import { openRpcClient } from './rpc-client.ts';

/** A whole gateway behind real doors, with a client. */
export interface RunningGateway {
  /** `127.0.0.1:port` */
  readonly address: string;
  /** `http://127.0.0.1:port` of the web door. */
  readonly web: string;
  readonly port: GatewayPort;
  readonly client: RpcClient;
  /** How much the engine has to do. */
  load(): EngineLoad;
  close(): Promise<void>;
}

/**
 * Starts a gateway as the process does, but for the admin listener and the signals; `changes` are to the world outside it. With
 * `callers` calls are made by whom `x-request-id` names, otherwise the first.
 */
export async function startGateway(
  input: ConfigInput,
  changes: Partial<System> = {},
  callers: readonly Caller[] = [],
): Promise<RunningGateway> {
  const world = { ...system, ...changes };
  const gateway = wireGateway({
    config: createConfig({ config: input }),
    version: '0.0.0-test',
    system: world,
  });
  // Loading an SDK takes longer than the shortest timers of the tests.
  await gateway.warmUp();
  const room = new Room(() => gateway.load(), world);
  const serving = new ServingStatus(() => gateway.port.targets(), system, room.isLeft);
  gateway.onTargetChange(() => serving.changed());
  const plain = gateway.doorHandlers(() => !serving.isDraining);
  const handlers = callers.length === 0 ? plain : asNamed(plain, callers);
  const shared = { address: '127.0.0.1:0', handlers, runtime: system };
  const { authentication } = gateway;
  const door = await openGrpcDoor({ ...shared, serving, authentication });
  const web = await openWebDoor({ ...shared, authentication, isReady: () => serving.isReady });
  serving.startServing();
  const client = openRpcClient(door.address);
  return {
    address: door.address,
    web: `http://${web.address}`,
    port: gateway.port,
    client,
    load: () => gateway.load(),
    close: async () => {
      client.close();
      await Promise.all([door.drain(0), web.drain(0)]);
      await gateway.close();
    },
  };
}
