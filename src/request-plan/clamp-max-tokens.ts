import type { AdapterWarning } from '../providers/port/adapter.ts';
import { parameterAdjusted } from '../providers/shared/warnings.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';

/** A request that asks for no longer answer than the model writes. */
interface Limited {
  readonly request: PlanRequest;
  readonly warnings: readonly AdapterWarning[];
}

/**
 * Lowers `options.max_tokens` to the longest answer of a model, where that is known: providers refuse more, and a limit that was
 * meant for one model must not keep the next target from answering.
 */
export function clampMaxTokens(request: PlanRequest, maxOutputTokens: number | undefined): Limited {
  const { options } = request;
  if (options?.maxTokens === undefined || maxOutputTokens === undefined || options.maxTokens <= maxOutputTokens) {
    return { request, warnings: [] };
  }
  return {
    request: { ...request, options: { ...options, maxTokens: maxOutputTokens } },
    warnings: [parameterAdjusted('options.max_tokens', `The model writes at most ${maxOutputTokens} tokens.`)],
  };
}
