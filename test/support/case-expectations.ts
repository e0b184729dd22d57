import { expect } from 'vitest';

import { CostSource, UsageSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { CaseRun, Outcome } from './case-runs.ts';

/** Holds a case that was asked once to what a caller should get. */
export type CaseCheck = (run: CaseRun) => void | Promise<void>;

/** What an answer of the case's own server says; what is left out is not looked at. */
interface OwnAnswer {
  readonly text?: string;
  readonly reasoning?: string;
  /** Names and arguments, in order. */
  readonly calls?: readonly (readonly [string, string])[];
  readonly finish?: string;
  readonly usage?: Readonly<Record<string, number>>;
  readonly nanoUsd?: bigint;
}

const own =
  (expected: OwnAnswer): CaseCheck =>
  (run) =>
    expectOwn(run.outcome, expected);

function expectOwn(
  outcome: Outcome,
  { text = '', reasoning = '', calls = [], finish, usage, nanoUsd }: OwnAnswer,
): void {
  expect(outcome.error).toBeUndefined();
  expect(outcome.trail).toEqual(['FIRST own OK']);
  expect(outcome.text).toBe(text);
  expect(outcome.reasoning).toBe(reasoning);
  expect(outcome.calls.map((call) => [call.name, call.arguments])).toEqual(calls);
  if (finish !== undefined) expect(outcome.finish).toBe(finish);
  if (usage !== undefined) expect(outcome.usage).toMatchObject(usage);
  if (nanoUsd !== undefined) expect(outcome.cost).toMatchObject({ nanoUsd, source: CostSource.EXACT });
}

/** Whoever was asked before, the backup has answered. */
function expectBackup({ error, trail, text, finish }: Outcome): void {
  expect(error).toBeUndefined();
  expect(trail.at(-1)).toBe('FAILOVER backup OK');
  expect(text).toBe('BACKUP');
  expect(finish).toBe('STOP');
}

/** One attempt with this reason, then the backup. */
const passedOn =
  (reason: string, besides: CaseCheck = () => undefined): CaseCheck =>
  async (run) => {
    expect(run.outcome.trail).toEqual([`FIRST own ${reason}`, 'FAILOVER backup OK']);
    expectBackup(run.outcome);
    await besides(run);
  };

const suspendedFor =
  (reason: string): CaseCheck =>
  async (run) =>
    expect(await run.suspendedReason()).toBe(reason);

const blames =
  (field: string): CaseCheck =>
  async (run) => {
    const { error } = await run.alone();
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'UNSUPPORTED_PARAMETER', fields: [field] });
  };

/** The target alone was asked, and names a time, give or take the jitter that engine rule R4 adds. */
const comesBackIn =
  (ms: number): CaseCheck =>
  ({ outcome }) => {
    expect(outcome.error?.code).toBe('RESOURCE_EXHAUSTED');
    expect(outcome.trail).toEqual(['FIRST own PROVIDER_RATE_LIMITED']);
    expect(outcome.error?.retryDelayMs).toBeGreaterThan(ms / 2);
    expect(outcome.error?.retryDelayMs).toBeLessThan(ms + 1_500);
  };

const weatherThen =
  (first: Pick<OwnAnswer, 'reasoning'>): CaseCheck =>
  async (run) => {
    expectOwn(run.outcome, { ...first, calls: [['weather', '{"city":"Rome"}']] });
    expectOwn(await run.nextTurn(), { text: 'Sunny.', finish: 'STOP' });
  };

/** A prompt or an answer of no tokens is no count: the cost is an estimate of more than nothing. */
const estimated: CaseCheck = ({ outcome }) => {
  expectOwn(outcome, { text: 'I am fine, thank you very much.', finish: 'STOP' });
  expect(outcome.cost?.source).toBe(CostSource.ESTIMATED);
  expect(outcome.cost?.nanoUsd).toBeGreaterThan(0n);
  expect(outcome.usage?.source === UsageSource.REPORTED && outcome.usage.outputTokens === 0).toBe(false);
};

const TOO_LONG = passedOn('CONTEXT_LENGTH_EXCEEDED');
const NO_MODEL = passedOn('PROVIDER_MODEL_NOT_FOUND');
const NO_CREDIT = passedOn('PROVIDER_QUOTA_EXHAUSTED', suspendedFor('quota'));
const NARROW_SCHEMA = passedOn('UNSUPPORTED_PARAMETER', blames('tools'));

/** What each case of `../shared/cases` that a provider's answer is part of is held to, by its name. */
export const CASE_CHECKS: Readonly<Record<string, CaseCheck>> = {
  'args-empty': own({ calls: [['now', '{}']], finish: 'TOOL_CALLS' }),
  'args-empty-json': own({ calls: [['now', '{}']], finish: 'TOOL_CALLS' }),
  'args-object-json': own({ calls: [['weather', '{"city":"Rome"}']], finish: 'TOOL_CALLS' }),
  'auth-gemini-400-array': passedOn('PROVIDER_AUTH_FAILED', suspendedFor('auth')),
  'bigint-ollama': own({ calls: [['weather', '{"id":2512292042121000001}']] }),
  'cap-response-format-400': passedOn('UNSUPPORTED_PARAMETER'),
  // The server refuses whatever it is sent; a second attempt without the field may come before the backup.
  'cap-stream-options-422': ({ outcome }) => expectBackup(outcome),
  'choice-index-null-json': own({ text: 'Hello', finish: 'STOP' }),
  'content-array-json': own({ text: 'Hello you.', reasoning: 'a greeting', finish: 'STOP' }),
  'ctx-llamacpp-400': TOO_LONG,
  'ctx-llamacpp-in-stream': TOO_LONG,
  'ctx-llamacpp-in-stream-data': TOO_LONG,
  'ctx-ollama-cloud': TOO_LONG,
  'ctx-sglang-b1': TOO_LONG,
  'ctx-vllm-decoder': TOO_LONG,
  'finish-empty-every-chunk': own({ text: 'Hello', finish: 'STOP' }),
  'finish-max-tokens': own({ text: 'Hel', finish: 'LENGTH' }),
  'finish-tool-use': own({ calls: [['weather', '{"city":"Rome"}']], finish: 'TOOL_CALLS' }),
  'finish-zai-network-error': ({ mode, outcome }) => {
    if (mode === 'unary') expectBackup(outcome);
    else expect(outcome).toMatchObject({ text: 'Half', error: { code: 'ABORTED', reason: 'STREAM_INTERRUPTED' } });
  },
  'html-413-of-a-proxy': ({ outcome }) => expectBackup(outcome),
  'id-mistral-nine': own({ text: 'Sunny.', finish: 'STOP' }),
  'in-band-choice-error-429': passedOn('PROVIDER_RATE_LIMITED'),
  'llama-responses': own({
    text: 'Hello from a tiny model.',
    finish: 'STOP',
    usage: { inputTokens: 6, cachedInputTokens: 5, outputTokens: 6, totalTokens: 12 },
  }),
  'model-groq-decommissioned': NO_MODEL,
  'model-openrouter-400': NO_MODEL,
  'moderation-403': async (run) => {
    expect(run.outcome.trail[0]).toBe('FIRST own PROMPT_BLOCKED');
    expect(await run.suspendedReason()).toBe('');
  },
  'null-chunk': own({ text: 'Hello', finish: 'STOP' }),
  'phantom-call': own({ text: 'Hello', finish: 'STOP' }),
  'quota-minimax-429-1008': NO_CREDIT,
  'quota-minimax-500-1008': NO_CREDIT,
  'quota-opencode-401': NO_CREDIT,
  'quota-zai-429-1113': NO_CREDIT,
  'replay-gemini-signature': weatherThen({}),
  'replay-kimi-reasoning': weatherThen({ reasoning: 'I must look.' }),
  'retry-azure-old-reset': comesBackIn(55_000),
  'retry-gemini-body': comesBackIn(45_838),
  'schema-gemini-unknown-name': NARROW_SCHEMA,
  'schema-openai-function': NARROW_SCHEMA,
  'sys-two-leading': own({ text: 'merged', finish: 'STOP' }),
  'usage-all-zero': estimated,
  'usage-xai-reasoning-beside': own({
    text: 'Hi',
    finish: 'STOP',
    usage: { inputTokens: 10_120, outputTokens: 4_308, reasoningTokens: 2_809, totalTokens: 14_428 },
    nanoUsd: 23_285_600n,
  }),
  'vllm-responses-incomplete': own({
    text: 'onononon',
    finish: 'LENGTH',
    usage: { inputTokens: 5, outputTokens: 4, totalTokens: 9 },
  }),
};

/** Cases of which the test tells by itself, since they are asked otherwise. */
export const OTHER_CASES: readonly string[] = [
  'web-door-malformed-stream-message',
  'anthropic-nothing-left',
  'schema-ref-root',
];

type Body = Readonly<Record<string, unknown>>;
type RuledAnswer = 'first' | 'good' | 'bad';

/** The rules by which servers of some cases answer, by the name of the case, given the messages that they are sent. */
export const CASE_RULES: Readonly<Record<string, (messages: readonly Body[]) => RuledAnswer>> = {
  'id-mistral-nine': (messages) => (toolIds(messages).every((id) => /^[A-Za-z0-9]{9}$/.test(id)) ? 'good' : 'bad'),
  'replay-gemini-signature': (messages) =>
    ofSecondTurn(messages, (said) => JSON.stringify(said).includes('"thought_signature":"SIGNATURE"')),
  'replay-kimi-reasoning': (messages) => ofSecondTurn(messages, (said) => said['reasoning_content'] === 'I must look.'),
  'sys-two-leading': (messages) =>
    messages.findLastIndex(({ role }) => role === 'system') > 0 || !JSON.stringify(messages[0]).match(/A.*B/s)
      ? 'bad'
      : 'good',
};

function ofSecondTurn(messages: readonly Body[], isRight: (said: Body) => boolean): RuledAnswer {
  const said = messages.find(({ role }) => role === 'assistant');
  if (said === undefined) return 'first';
  return isRight(said) ? 'good' : 'bad';
}

/** The ids of calls and results; those of a call and its result have to be the same, or the server would not take them. */
function toolIds(messages: readonly Body[]): readonly string[] {
  return [...JSON.stringify(messages).matchAll(/"(?:tool_call_)?id":"([^"]*)"/g)].map(([, id = '']) => id);
}
