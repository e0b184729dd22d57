import type { Silence } from '../../../core/provider.ts';
import { openAiModel } from '../../models/gpt-models.ts';
import type { Adapter } from '../../port/adapter.ts';

/**
 * Makes {@link Adapter.silence} for an API of OpenAI's; `whileItThinks` is what comes meanwhile. `unknownReasons`: whether a model
 * may reason of which nothing is known. Nobody having said so, it is not thought to think for longer than dead targets are borne.
 */
export function thinkingSilence(whileItThinks: Silence, unknownReasons: boolean): Adapter['silence'] {
  return (model, reasoning) => {
    const known = openAiModel(model);
    // Some think whatever they are told.
    const obeys = known === undefined || known.chatEfforts.includes('none');
    const reasons =
      reasoning === 'asked' || ((known?.reasons ?? unknownReasons) && !(reasoning === 'refused' && obeys));
    if (reasons) return known === undefined && reasoning !== 'asked' ? 'behind_signs' : whileItThinks;
    return known === undefined ? 'unknown' : 'short';
  };
}
