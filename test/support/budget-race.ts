import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { RpcClient } from './rpc-client.ts';
import { RpcError } from './rpc-error.ts';

/** What a race has come to. */
export interface RaceResult {
  readonly spentNanoUsd: bigint;
  readonly dearestNanoUsd: bigint;
  readonly answered: number;
  /** How many were refused, by reason and pushback. */
  readonly refused: ReadonlyMap<string, number>;
}

/**
 * Lets callers of one key call at once, over some gateways in turn.
 *
 * @param untilRefused whether each calls again and again until it is refused
 */
export async function budgetRace(
  clients: readonly RpcClient[],
  callers: number,
  untilRefused: boolean,
  request: { readonly model?: string; readonly maxTokens?: number | undefined } = {},
): Promise<RaceResult> {
  let spentNanoUsd = 0n;
  let dearestNanoUsd = 0n;
  let answered = 0;
  const refused = new Map<string, number>();
  const { model = '', maxTokens } = request;
  const once = async (client: RpcClient, caller: number): Promise<boolean> => {
    try {
      const { cost } = await client.call(
        LlmService.method.generate,
        { prompt: `Question ${caller % 7}`, model, options: { maxTokens } },
        { deadlineMs: 60_000 },
      );
      const nanoUsd = cost?.nanoUsd ?? 0n;
      spentNanoUsd += nanoUsd;
      if (nanoUsd > dearestNanoUsd) dearestNanoUsd = nanoUsd;
      answered++;
      return true;
    } catch (error) {
      const why = error instanceof RpcError ? `${error.code} ${error.reason} ${error.pushback}` : String(error);
      refused.set(why, (refused.get(why) ?? 0) + 1);
      return false;
    }
  };
  await Promise.all(
    Array.from({ length: callers }, async (_, caller) => {
      const client = clients[caller % clients.length];
      if (client === undefined) throw new Error('There is no client.');
      while (await once(client, caller)) if (!untilRefused) return;
    }),
  );
  return { spentNanoUsd, dearestNanoUsd, answered, refused };
}
