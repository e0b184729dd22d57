import type { OperatorAct } from '../../server/port/operator-act.ts';

const SERVICE = 'understudy.v1.AdminService';

/** Builds the fields of the line about what an operator has done: who, what, and how it ended. */
export function operatorFields(act: OperatorAct): Readonly<Record<string, unknown>> {
  return {
    'client.address': act.peer,
    'rpc.method': `${SERVICE}/${act.method}`,
    'rpc.status_code': act.status,
    'error.type': act.reason,
    'understudy.target': act.target,
    'understudy.circuit': act.circuit,
    'understudy.state': act.state,
  };
}
