import { create } from '@bufbuild/protobuf';

import type { Warning } from '../../gen/understudy/v1/routing_pb.ts';
import { WarningCode, WarningSchema } from '../../gen/understudy/v1/routing_pb.ts';
import type { Affinity, MovedConversation } from '../engine/port/affinity.ts';
import type { ChainEntry } from '../engine/port/call.ts';
import type { PlanRequest } from '../server/port/gateway-port.ts';

type Asked = Pick<PlanRequest, 'model' | 'options' | 'routing'>;

/**
 * Reads which conversation a request goes on with: by its own key, or by that of the prompt's cache; undefined where it has neither. A
 * request that names a route, a model, targets or a preferred provider wishes the first entry of its chain first (engine rule A6).
 */
export function affinityOf({ model, options, routing }: Asked, [first]: readonly ChainEntry[]): Affinity | undefined {
  const key = routing?.affinityKey || options?.promptCacheKey || '';
  if (key === '') return undefined;
  const hasWish =
    model !== '' ||
    (routing !== undefined && (routing.route !== '' || routing.targets.length > 0 || routing.preferredProvider !== ''));
  return { key, wish: hasWish && first !== undefined ? `${first.target}/${first.model}` : '' };
}

/** The warning that a conversation has moved, which names the target that it has left; the trail tells the whole story. */
export function movedWarning({ routing }: Pick<Asked, 'routing'>, { from, reason }: MovedConversation): Warning {
  const isOwnKey = routing !== undefined && routing.affinityKey !== '';
  const why = reason === undefined ? 'the request asks for others' : reason;
  return create(WarningSchema, {
    code: WarningCode.CONVERSATION_MOVED,
    field: isOwnKey ? 'routing.affinity_key' : 'options.prompt_cache_key',
    target: from,
    message: `This target gave the last answer of the conversation, and another one gave this: ${why}.`,
  });
}
