import type { ProviderHealth } from '../../gen/understudy/v1/health_pb.ts';
import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import type { System } from '../../src/core/ports.ts';
import type { ChaosStep, ChaosUpstream } from './chaos-upstream.ts';
import { chunk, lastChunk } from './chaos-upstream.ts';
import { chaosUpstream, chatTarget, gatewayFor } from './failover-stage.ts';
import type { RunningGateway } from './gateway-doors.ts';
import { goodAnswer, ROLE_EVENT, STREAM_END, STREAM_HEAD, textEvent } from './openai-bodies.ts';

const WORDS = ['To be, ', 'or not ', 'to be, ', 'that is ', 'the ', 'question.'];

/** The answer of the lead, whole and its first two thirds, as text. */
export const WHOLE = WORDS.join('');
export const BEGINNING = WORDS.slice(0, 4).join('');

/** The answer of the second target: no word of it is in the other, so that a splice shows. */
export const OTHER = 'Brevity, soul of wit; tediousness, limbs.';

/** What both report. */
export const USAGE = { inputTokens: 9, outputTokens: 3, totalTokens: 12 };

/** The events of the first words, and of all of them. */
export const BEGUN: readonly ChaosStep[] = saying(WORDS.slice(0, 4));
export const SAID: readonly ChaosStep[] = saying(WORDS);
/** The lead's answer as one whole stream. */
export const ANSWERED: readonly ChaosStep[] = [...SAID, chunk(STREAM_END), lastChunk];

/** A sick lead with one healthy target behind it. */
export interface ChaosStage {
  readonly lead: ChaosUpstream;
  readonly second: ChaosUpstream;
  readonly gateway: RunningGateway;
  /** What Health tells of the lead. */
  leadHealth(): Promise<ProviderHealth>;
}

type TargetInput = NonNullable<ConfigInput['targets']>[number];

/** Sets the two up and a gateway before them. The second is `model-2` and answers one stream with {@link OTHER}. */
export async function chaosStage(
  lead: Partial<TargetInput> = {},
  config: Omit<ConfigInput, 'targets'> = {},
  system?: System,
): Promise<ChaosStage> {
  const [first, second] = [await chaosUpstream(), await chaosUpstream()];
  second.script(...goodAnswer(true, OTHER));
  const targets = [chatTarget('lead', first.origin, lead), chatTarget('second', second.origin, { model: 'model-2' })];
  const gateway = await gatewayFor({ ...config, targets }, system);
  return { lead: first, second, gateway, leadHealth: () => healthOf(gateway, 'lead') };
}

/** Asks Health for one target. */
export async function healthOf({ client }: RunningGateway, target: string): Promise<ProviderHealth> {
  const { providers } = await client.call(LlmService.method.health, {});
  const found = providers.find((provider) => provider.target === target);
  if (found === undefined) throw new Error(`Health tells nothing of ${target}`);
  return found;
}

/** Makes the stream of some words, from its head on. */
function saying(words: readonly string[]): readonly ChaosStep[] {
  return [STREAM_HEAD, chunk(ROLE_EVENT), ...words.map((word) => chunk(textEvent(word)))];
}
