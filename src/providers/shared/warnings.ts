import { WarningCode } from '../../../gen/understudy/v1/routing_pb.ts';
import type { AdapterWarning } from '../port/adapter.ts';

/** Says that a parameter was left out. `field` is in the contract's names, `message` one sentence. */
export function parameterDropped(field: string, message: string): AdapterWarning {
  return { code: WarningCode.PARAMETER_DROPPED, field, message };
}

/** Says that a parameter was changed to what the model takes. */
export function parameterAdjusted(field: string, message: string): AdapterWarning {
  return { code: WarningCode.PARAMETER_ADJUSTED, field, message };
}

/** Says that the state of another target was left out. */
export function stateDropped(field: string): AdapterWarning {
  return {
    code: WarningCode.PROVIDER_STATE_DROPPED,
    field,
    message: 'The state was made by another target and was left out.',
  };
}

/** Says that the state of another model of the same target was left out. */
export function stateOfOtherModel(field: string): AdapterWarning {
  return {
    code: WarningCode.PROVIDER_STATE_DROPPED,
    field,
    message: 'The state was made by another model and was left out.',
  };
}
