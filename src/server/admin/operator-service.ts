import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import { type AdminService, ForcedState } from '../../../gen/understudy/v1/admin_pb.ts';
import type { ProviderHealth } from '../../../gen/understudy/v1/health_pb.ts';
import { FailureError, type FailureReason, namedChoices } from '../../core/failure.ts';
import { OTHER_MODELS } from '../../core/model-id.ts';
import type { OperatorState } from '../../engine/target/operator-switch.ts';
import { PEER_ADDRESS } from '../http/calls/peer.ts';
import type { GatewayPort } from '../port/gateway-port.ts';
import type { OperatorAct } from '../port/operator-act.ts';
import { providerHealth } from '../health/provider-health.ts';
import { callError, unexpected } from '../errors/status.ts';

/** What operators can do to targets. */
export interface TargetOperator {
  /** Forces circuits of a target, all or one; false where there is no such target. */
  force(target: string, state: OperatorState, circuit?: string): boolean;
  /** Lets a target begin afresh; false where there is no such target. */
  reset(target: string): boolean;
  /** Whether a model of a target has a circuit of its own: it is configured, catalogued, or was asked for by a caller lately. */
  hasModel(target: string, model: string): boolean;
}

/** A state that is not here, unspecified or a number that this version does not know, is refused. */
const STATES: ReadonlyMap<ForcedState, OperatorState> = new Map([
  [ForcedState.AUTOMATIC, 'AUTOMATIC'],
  [ForcedState.OPEN, 'OPEN'],
  [ForcedState.CLOSED, 'CLOSED'],
  [ForcedState.DISABLED, 'DISABLED'],
]);

/** What the handlers of AdminService are made of. */
export interface AdminParts {
  readonly gateway: Pick<GatewayPort, 'targets' | 'costOfTarget' | 'newRequestId'>;
  readonly operator: TargetOperator;
  /** Hears of all that operators do or are refused. Absent: nobody does. */
  readonly acted?: ((act: OperatorAct) => void) | undefined;
}

/** Makes the handlers of AdminService. They throw a ConnectError that names the field where the request is wrong. */
export function createAdminHandlers({ gateway, operator, acted }: AdminParts): ServiceImpl<typeof AdminService> {
  const healthOf = (name: string): ProviderHealth => {
    const targets = gateway.targets();
    const target = targets.find((candidate) => candidate.target === name);
    if (target === undefined) {
      const names = namedChoices(targets.map((candidate) => candidate.target));
      throw refused('TARGET_NOT_FOUND', `There is no such target; there are: ${names}.`, 'target');
    }
    return providerHealth(target, gateway.costOfTarget(name));
  };
  /** Does what an operator wants, and tells of it: what was found to exist, and how it ended. */
  const act = (
    method: OperatorAct['method'],
    { values }: HandlerContext,
    run: (found: Found) => void,
    target: string,
  ): { health: ProviderHealth } => {
    const found: Found = {};
    const told = (end: Pick<OperatorAct, 'status' | 'reason'>): void =>
      acted?.({ method, peer: values.get(PEER_ADDRESS), ...found, ...end });
    try {
      healthOf(target);
      found.target = target;
      run(found);
      const health = healthOf(target);
      told({ status: 'OK' });
      return { health };
    } catch (thrown) {
      const failure = unexpected(thrown, false);
      told({ status: failure.status, reason: failure.reason });
      throw callError(failure, { requestId: gateway.newRequestId(), random: () => 0 });
    }
  };
  return {
    forceCircuit({ target, model, state }, context) {
      return act(
        'ForceCircuit',
        context,
        (found) => {
          const wanted = STATES.get(state);
          if (wanted === undefined) throw refused('INVALID_REQUEST', 'A state is required.', 'state');
          found.state = wanted;
          if (model !== '' && wanted === 'DISABLED') {
            throw refused('INVALID_REQUEST', 'Only a whole target can be disabled.', 'model');
          }
          if (model !== '' && model !== OTHER_MODELS && !operator.hasModel(target, model)) {
            throw refused('MODEL_NOT_FOUND', 'The target has no circuit for this model.', 'model');
          }
          if (model !== '') found.circuit = model;
          operator.force(target, wanted, found.circuit);
        },
        target,
      );
    },
    resetTarget({ target }, context) {
      return act('ResetTarget', context, () => operator.reset(target), target);
    },
  };
}

/** What of a request was found to exist. */
type Found = { -readonly [Field in 'target' | 'circuit' | 'state']?: OperatorAct[Field] };

function refused(reason: FailureReason, message: string, field: string): FailureError {
  return new FailureError({ class: 'local_refusal', reason, message, field });
}
