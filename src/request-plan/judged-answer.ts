import type { Delta, Finish } from '../core/answer.ts';
import type { Failure } from '../core/failure.ts';
import type { Prepared } from '../engine/port/call.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';
import type { AnswerForm } from '../structured-output/answer-form.ts';
import { MISMATCH, repairTurn, withFormCheck } from '../structured-output/answer-form.ts';

type Preparation = Prepared<Delta, Finish>;
type Judged = Pick<Preparation, 'open' | 'judge'>;

/**
 * Has the whole answer of an attempt checked against the form that the request asks for; one that does not have it is a failure
 * or only a warning, and may be mended by asking once more.
 *
 * @param prepareRepair prepares the same entry with the conversation that asks the model to mend its answer
 */
export function judgedAnswer(
  { check, isStrict, repairSchema }: AnswerForm,
  messages: PlanRequest['messages'],
  open: Preparation['open'],
  prepareRepair: (messages: PlanRequest['messages']) => Preparation | Failure,
): Judged {
  let answer = '';
  return {
    open: (sink) =>
      open(
        withFormCheck(sink, check, (text) => {
          answer = text;
        }),
      ),
    judge: ({ mismatch }) => {
      if (mismatch === undefined || (!isStrict && repairSchema === undefined)) return undefined;
      return {
        failure: MISMATCH,
        isTolerable: !isStrict,
        repair:
          repairSchema === undefined
            ? undefined
            : () => prepareRepair([...messages, ...repairTurn(answer, mismatch, repairSchema)]),
      };
    },
  };
}
