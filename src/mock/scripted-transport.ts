import type { Runtime } from '../core/ports.ts';
import type { OpenAiApi, ProviderName } from '../core/provider.ts';
import type { HttpRequest, Transport } from '../core/transport.ts';
import { answerTo } from './answer/made-up-answer.ts';
import { OK, scenarioOf } from './answer/fault-catalogue.ts';
import type { ErrorKind } from './answer/fault-catalogue.ts';
import { faultHeaders, houseOf, ownDialect } from './wire/house-style.ts';
import type { House } from './wire/house-style.ts';
import { modelList } from './listed-models.ts';
import { destroyedError, resetError } from './network-errors.ts';
import { planAnswer, planNetworkError, planReply } from './script.ts';
import type { Step } from './script.ts';
import { Playback } from './playback.ts';
import { unknownField } from './answer/body-fields.ts';
import { parseObject } from './shared/fields.ts';
import { dialectOf, readCall } from './answer/asked-request.ts';
import type { Dialect, MockCall } from './answer/asked-request.ts';
import { chanceFrom, hashOf } from './shared/seeded.ts';
import type { Chance } from './shared/seeded.ts';
import { errorOf } from './wire/error-format.ts';
import { unknownFieldError } from './wire/unknown-field.ts';

/** What a mock upstream is made of. */
export interface MockTransportOptions {
  /** Time: all delays are its timers. Its `random` is not used. */
  readonly runtime: Runtime;
  /** The provider whose status codes, headers and bodies it answers with. */
  readonly provider: ProviderName;
  /** The one of OpenAI's two APIs that it has; default: both. The other one's path does not exist. */
  readonly api?: OpenAiApi | undefined;
  /** Seed of texts, ids and chunk borders: the same calls in the same order give the same bytes. */
  readonly seed: number;
}

/** DeepSeek's answer to whoever asks for the balance of an account with money. */
const BALANCE = JSON.stringify({
  is_available: true,
  balance_infos: [{ currency: 'USD', total_balance: '10.00', granted_balance: '0.00', topped_up_balance: '10.00' }],
});

/** Calls that failed and were not repeated yet are remembered up to this number; the oldest is forgotten first. */
const MAX_FAILED_CALLS = 10_000;

/**
 * Makes an upstream that answers in the process, in a provider's own wire format. The API is told by the path of the
 * request, the fate of a call by its model ({@link scenarioOf}). GET of `/models` and `/api/tags` lists the catalogue, of
 * `/user/balance` tells DeepSeek's balance.
 */
export function createMockTransport(options: MockTransportOptions): Transport {
  const playbacks = new Set<Playback>();
  const failedCalls = new Set<string>();
  let calls = 0;
  let isClosed = false;

  /** Notes a call, and returns whether it is an odd one of its kind: the same model and the same messages. */
  const noteOddCall = (call: MockCall): boolean => {
    const key = `${call.model} ${hashOf(call.conversation)}`;
    if (failedCalls.delete(key)) return false;
    failedCalls.add(key);
    const [oldest] = failedCalls;
    if (failedCalls.size > MAX_FAILED_CALLS && oldest !== undefined) failedCalls.delete(oldest);
    return true;
  };

  const stepsFor = (request: HttpRequest): readonly Step[] => {
    calls += 1;
    const path = request.url.pathname;
    const chance = chanceFrom(hashOf(String(options.seed), String(calls), path, request.body));
    const dialect = servedDialect(path, options);
    if (request.method === 'GET') return replyToGet(path, options, chance);
    const house = houseOf(options.provider, dialect ?? ownDialect(options.provider), chance);
    if (dialect === undefined) return replyWithError(house, 'not_found', '');
    const body = parseObject(request.body);
    if (body === undefined) return replyWithError(house, 'bad_request', '');
    const unknown = unknownField(body, options.provider, dialect, request.headers['anthropic-version']);
    const refusal =
      unknown === undefined ? undefined : unknownFieldError(house.unknownFields, unknown, house.requestId);
    if (refusal !== undefined)
      return planReply(refusal.status, faultHeaders(house, 'bad_request', undefined), refusal.body);
    const call = readCall(body, options.provider, dialect);
    if (call === undefined) return replyWithError(house, 'bad_request', '');
    return replyToCall(call, options, house, chance, noteOddCall);
  };

  return {
    send: (request, handler) => {
      const steps = isClosed ? planNetworkError(destroyedError()) : stepsFor(request);
      const playback = new Playback(options.runtime, steps, handler, (over) => playbacks.delete(over));
      playbacks.add(playback);
      return playback;
    },
    // It has no connections.
    retire: () => Promise.resolve(),
    close: () => {
      isClosed = true;
      for (const playback of playbacks) playback.destroy(destroyedError());
      return Promise.resolve();
    },
  };
}

function replyToCall(
  call: MockCall,
  { runtime, seed }: MockTransportOptions,
  house: House,
  chance: Chance,
  noteOddCall: (call: MockCall) => boolean,
): readonly Step[] {
  const known = scenarioOf(call.model);
  const isRepeat = known.kind === 'error' && known.thenOk === true && !noteOddCall(call);
  const scenario = isRepeat ? OK : known;
  switch (scenario.kind) {
    case 'network':
      return scenario.fault === 'reset' ? planNetworkError(resetError()) : [];
    case 'error':
      return replyWithError(house, scenario.error, call.model, scenario.retryAfterSeconds, call.promptBytes);
    case 'answer': {
      if (scenario.broken === 'error' && !call.streamed) return replyWithError(house, 'server_error', call.model);
      const answer = answerTo(call, scenario, seed, runtime.wall(), chance);
      return planAnswer(call, scenario, house, answer, chance);
    }
  }
}

function replyWithError(
  house: House,
  kind: ErrorKind,
  model: string,
  retryAfterSeconds?: number,
  promptBytes = 0,
): readonly Step[] {
  const inputTokens = Math.ceil(promptBytes / 4);
  const { status, body } = errorOf(house.errors, { kind, model, inputTokens, requestId: house.requestId });
  return planReply(status, faultHeaders(house, kind, retryAfterSeconds), body);
}

function replyToGet(path: string, { runtime, provider }: MockTransportOptions, chance: Chance): readonly Step[] {
  const dialect = ownDialect(provider);
  const house = houseOf(provider, dialect, chance);
  const headers = { 'content-type': 'application/json', ...house.headers };
  if (provider === 'deepseek' && path.endsWith('/user/balance')) return planReply(200, headers, BALANCE);
  const listed: Dialect | undefined = path.endsWith('/api/tags')
    ? 'ollama'
    : path.endsWith('/models')
      ? dialect
      : undefined;
  if (listed === undefined) return replyWithError(house, 'not_found', '');
  return planReply(200, headers, modelList(listed, runtime.wall()));
}

function servedDialect(path: string, { api }: MockTransportOptions): Dialect | undefined {
  const dialect = dialectOf(path);
  const isOther =
    (api === 'responses' && dialect === 'chat') || (api === 'chat_completions' && dialect === 'responses');
  return isOther ? undefined : dialect;
}
