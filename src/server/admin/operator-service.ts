import type { ConnectError, ServiceImpl } from '@connectrpc/connect';
import { type AdminService, ForcedState } from '../../../gen/understudy/v1/admin_pb.ts';
import type { ProviderHealth } from '../../../gen/understudy/v1/health_pb.ts';
import type { FailureReason } from '../../core/failure.ts';
import { OTHER_MODELS } from '../../core/model-id.ts';
import type { OperatorState } from '../../engine/target/operator-switch.ts';
import type { GatewayPort } from '../port/gateway-port.ts';
import { providerHealth } from '../health/provider-health.ts';
import { callError, refusal } from '../errors/status.ts';

/** What operators can do to targets. */
export interface TargetOperator {
  /** Forces circuits of a target, all or one; false where there is no such target. */
  force(target: string, state: OperatorState, circuit?: string): boolean;
  /** Lets a target begin afresh; false where there is no such target. */
  reset(target: string): boolean;
  /** Whether a model of a target has a circuit of its own: it is configured or catalogued. */
  hasModel(target: string, model: string): boolean;
}

/** A state that is not here, unspecified or a number that this version does not know, is refused. */
const STATES: ReadonlyMap<ForcedState, OperatorState> = new Map([
  [ForcedState.AUTOMATIC, 'AUTOMATIC'],
  [ForcedState.OPEN, 'OPEN'],
  [ForcedState.CLOSED, 'CLOSED'],
  [ForcedState.DISABLED, 'DISABLED'],
]);

/** Makes the handlers of AdminService. They throw a ConnectError that names the field where the request is wrong. */
export function createAdminHandlers(
  gateway: Pick<GatewayPort, 'targets' | 'costOfTarget' | 'newRequestId'>,
  operator: TargetOperator,
): ServiceImpl<typeof AdminService> {
  const refuse = (reason: FailureReason, message: string, field: string): ConnectError => {
    const failure = refusal({ class: 'local_refusal', reason, message, field });
    return callError(failure, { requestId: gateway.newRequestId(), random: () => 0 });
  };
  const healthOf = (name: string): ProviderHealth => {
    const target = gateway.targets().find((candidate) => candidate.target === name);
    if (target === undefined) throw refuse('TARGET_NOT_FOUND', 'There is no such target.', 'target');
    return providerHealth(target, gateway.costOfTarget(name));
  };
  return {
    forceCircuit({ target, model, state }) {
      healthOf(target);
      const wanted = STATES.get(state);
      if (wanted === undefined) throw refuse('INVALID_REQUEST', 'A state is required.', 'state');
      if (model !== '' && wanted === 'DISABLED') {
        throw refuse('INVALID_REQUEST', 'Only a whole target can be disabled.', 'model');
      }
      if (model !== '' && model !== OTHER_MODELS && !operator.hasModel(target, model)) {
        throw refuse('MODEL_NOT_FOUND', 'The target has no circuit for this model.', 'model');
      }
      operator.force(target, wanted, model === '' ? undefined : model);
      return { health: healthOf(target) };
    },
    resetTarget({ target }) {
      healthOf(target);
      operator.reset(target);
      return { health: healthOf(target) };
    },
  };
}
