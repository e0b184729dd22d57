import { afterEach, describe, expect, test } from 'vitest';

import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GenerationOptionsSchema } from '../../gen/understudy/v1/chat_pb.ts';
import { Role } from '../../gen/understudy/v1/chat_pb.ts';
import { WarningCode } from '../../gen/understudy/v1/routing_pb.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import { createGateway } from '../../src/index.ts';
import type { EmbeddedGateway } from '../../src/index.ts';
import type { MessageInit, PartInit } from '../support/chat-parts.ts';
import { cached, result, results, text, tool, user } from '../support/chat-parts.ts';
import { readFromRoot, tableBelow } from '../support/doc-tables.ts';
import type { CachingUpstream } from '../support/prompt-cache/caching-upstream.ts';
import { startCachingUpstream } from '../support/prompt-cache/caching-upstream.ts';
import type { DirectTurn, DirectWriter } from '../support/prompt-cache/direct-bodies.ts';
import { directChat, directMessages, directOllama, directResponses } from '../support/prompt-cache/direct-bodies.ts';
import { RULES, STEPS, TOOLS } from '../support/prompt-cache/long-conversation.ts';
import type { CacheRule } from '../support/prompt-cache/prefix-cache.ts';
import { streamedMessage } from '../support/streamed-message.ts';

type TargetInput = NonNullable<ConfigInput['targets']>[number];
type Options = Omit<MessageInitShape<typeof GenerationOptionsSchema>, '$typeName'>;

const KEY = 'conversation-7';

/** A provider at one of its APIs, as its documents say that it caches. */
interface Dialect {
  /** As the table of the documentation names it. */
  readonly name: string;
  readonly target: Omit<TargetInput, 'name' | 'base_url'>;
  /** Behind the origin. */
  readonly base: string;
  /** Behind the base. */
  readonly path: string;
  readonly rule: CacheRule;
  readonly write: DirectWriter;
  /** The field of the key, where the provider takes one. */
  readonly takesKey: boolean;
}

const OPENAI_RULE: CacheRule = { by: 'units', least: 1_024, unit: 128 };

const DIALECTS: readonly Dialect[] = [
  {
    name: 'OpenAI, Chat Completions',
    target: { provider: 'openai', api_key: 'k', model: 'gpt-5.1', api: 'chat_completions' },
    base: '/v1',
    path: '/chat/completions',
    rule: OPENAI_RULE,
    write: directChat('developer'),
    takesKey: true,
  },
  {
    name: 'OpenAI, Responses',
    target: { provider: 'openai', api_key: 'k', model: 'gpt-6.1-sol', api: 'responses' },
    base: '/v1',
    path: '/responses',
    rule: OPENAI_RULE,
    write: directResponses,
    takesKey: true,
  },
  {
    name: 'Azure OpenAI, Chat Completions',
    target: { provider: 'azure-openai', api_key: 'k', model: 'deployment', api: 'chat_completions' },
    base: '/openai/v1',
    path: '/chat/completions',
    rule: OPENAI_RULE,
    write: directChat('system'),
    takesKey: true,
  },
  {
    name: 'Anthropic, Messages',
    target: { provider: 'anthropic', api_key: 'k', model: 'claude-haiku-5-5' },
    base: '',
    path: '/v1/messages',
    rule: { by: 'marks', least: 512, lookback: 20 },
    write: directMessages,
    takesKey: false,
  },
  {
    name: 'DeepSeek, Chat Completions',
    target: { provider: 'deepseek', api_key: 'k', model: 'deepseek-flash' },
    base: '',
    path: '/chat/completions',
    rule: { by: 'units', least: 64, unit: 64 },
    write: directChat('system', { reasoning_content: '' }),
    takesKey: false,
  },
  {
    name: 'Groq, Chat Completions',
    target: { provider: 'groq', api_key: 'k', model: 'openai/gpt-oss-120b' },
    base: '/openai/v1',
    path: '/chat/completions',
    rule: { by: 'units', least: 128, unit: 128 },
    write: directChat('system'),
    takesKey: false,
  },
  {
    name: 'Mistral, Chat Completions',
    target: { provider: 'mistral', api_key: 'k', model: 'mistral-large-latest' },
    base: '/v1',
    path: '/chat/completions',
    rule: { by: 'units', least: 64, unit: 64, needsKey: true },
    write: directChat('system'),
    takesKey: true,
  },
  {
    name: 'Other servers, Chat Completions',
    target: { provider: 'openai', api_key: 'k', model: 'llama-4', api: 'chat_completions' },
    base: '/v1',
    path: '/chat/completions',
    rule: { by: 'units', least: 16, unit: 16 },
    write: directChat('system'),
    takesKey: false,
  },
  {
    name: 'Ollama, `/api/chat`',
    target: { provider: 'ollama', model: 'qwen3' },
    base: '',
    path: '/api/chat',
    rule: { by: 'units', least: 1, unit: 1 },
    write: directOllama,
    takesKey: false,
  },
];

/** In which steps the first provider fails. */
type Sickness = (step: number) => boolean;

const NEVER: Sickness = () => false;
const ONCE: Sickness = (step) => step === Math.floor(STEPS.length / 2);
const EVERY_THIRD: Sickness = (step) => step % 3 === 2;

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

/** Starts two providers that say the same, what the step at hand says. */
async function providers(rule: CacheRule, step: { at: number }): Promise<readonly [CachingUpstream, CachingUpstream]> {
  const start = () => startCachingUpstream(rule, () => STEPS[step.at]?.says ?? {});
  const both = [await start(), await start()] as const;
  open.push(...both);
  return both;
}

/** What part of all that the providers have read was in their caches, in percent with one digit. */
function shareOf(upstreams: readonly CachingUpstream[]): number {
  const reads = upstreams.flatMap(({ reads: own }) => own);
  const tokens = reads.reduce((sum, read) => sum + read.tokens, 0);
  const found = reads.reduce((sum, read) => sum + read.cached, 0);
  return Math.round((1_000 * found) / tokens) / 10;
}

/** Has the conversation with a provider itself. */
async function direct({ rule, base, path, target, write, takesKey }: Dialect): Promise<number> {
  const step = { at: 0 };
  const [upstream] = await providers(rule, step);
  const turns: DirectTurn[] = [];
  for (const [at, { asks, says }] of STEPS.entries()) {
    step.at = at;
    const { call } = STEPS[at - 1]?.says ?? {};
    if ('question' in asks) turns.push({ role: 'user', text: asks.question });
    else turns.push({ role: 'tool', id: call?.id ?? '', name: call?.name ?? '', text: asks.result });
    const conversation = { model: target.model ?? '', rules: RULES, tools: TOOLS, turns };
    const body = write(conversation, takesKey ? { prompt_cache_key: KEY } : {});
    const response = await fetch(`${upstream.origin}${base}${path}`, { method: 'POST', body: JSON.stringify(body) });
    expect(response.status).toBe(200);
    await response.text();
    turns.push({ role: 'assistant', said: says });
  }
  return shareOf([upstream]);
}

interface Story {
  readonly share: number;
  /** The share by the usage of the answers. */
  readonly told: number;
  /** The targets that answered, in order. */
  readonly servedBy: readonly string[];
  /** How often it was told that the conversation has moved. */
  readonly moves: number;
}

/** Has the conversation through the gateway, half of its answers streamed. */
async function through(dialect: Dialect, isSick: Sickness, hasKey: boolean): Promise<Story> {
  const step = { at: 0 };
  const [first, second] = await providers(dialect.rule, step);
  const gateway = createGateway({
    config: {
      targets: [
        { ...dialect.target, name: 'first', base_url: `${first.origin}${dialect.base}` },
        { ...dialect.target, name: 'second', base_url: `${second.origin}${dialect.base}` },
      ],
      // The circuit would end what is to be seen here.
      circuit_breaker: { failures: 100 },
    },
  });
  open.push(gateway);
  const history: MessageInit[] = [{ role: Role.SYSTEM, content: [text(RULES)] }];
  const servedBy: string[] = [];
  let [tokens, found, moves] = [0, 0, 0];
  for (const [at, { asks }] of STEPS.entries()) {
    step.at = at;
    first.isSick = isSick(at);
    const isQuestion = 'question' in asks;
    const part = isQuestion ? text(asks.question) : resultOf(history.at(-1), asks.result);
    const message = isQuestion ? user : results;
    const messages = [...history, message(hasKey ? part : cached(part))];
    const answer = await ask(gateway, at % 2 === 0, messages, optionsOf(dialect, hasKey));
    history.push(message(part), answer.message);
    servedBy.push(answer.target);
    tokens += answer.usage?.inputTokens ?? 0;
    found += answer.usage?.cachedInputTokens ?? 0;
    moves += answer.warnings.filter(({ code }) => code === WarningCode.CONVERSATION_MOVED).length;
  }
  return { share: shareOf([first, second]), told: Math.round((1_000 * found) / tokens) / 10, servedBy, moves };
}

/** Without a key of the contract the providers are told to cache all the same: by marks, and by fields of their own. */
function optionsOf({ target, rule }: Dialect, hasKey: boolean): Options {
  if (hasKey) return { promptCacheKey: KEY };
  const needsKey = rule.by === 'units' && rule.needsKey === true;
  return needsKey ? { providerOptions: { [target.provider]: { prompt_cache_key: KEY } } } : {};
}

async function ask(gateway: EmbeddedGateway, streams: boolean, messages: MessageInit[], options: Options) {
  const tools = TOOLS.map(({ name, description, parameters }) =>
    tool(name, JSON.stringify(parameters), { description }),
  );
  const request = { messages, tools, options };
  if (!streams) {
    const { message, target, usage, warnings } = await gateway.chat(request);
    return { message: message ?? {}, target, usage, warnings };
  }
  const events = await Array.fromAsync(gateway.streamChat(request));
  const last = events.at(-1)?.event;
  if (last?.case !== 'finished') throw new Error('the stream did not finish');
  const { target, usage, warnings } = last.value;
  return { message: streamedMessage(events), target, usage, warnings };
}

function resultOf(last: MessageInit | undefined, words: string): PartInit {
  const call = last?.content?.find(({ part }) => part?.case === 'toolCall')?.part;
  return result(call?.case === 'toolCall' ? (call.value.id ?? '') : '', [words]);
}

const TABLE = tableBelow(readFromRoot('docs/prompt-cache.md'), '## Measured');

test('the page on the cache has a row for each dialect', () => {
  expect(TABLE.map(([name]) => name)).toEqual(DIALECTS.map(({ name }) => name));
});

describe.each(DIALECTS)('the cached share of a conversation at $name', (dialect) => {
  const [, ...row] = TABLE.find(([name]) => name === dialect.name) ?? [];
  const isTold = dialect.target.provider !== 'ollama';

  test('through the gateway is that without it, which the answers tell, and the page', async () => {
    const without = await direct(dialect);
    const { share, told, servedBy, moves } = await through(dialect, NEVER, true);
    expect(share).toBe(without);
    expect([without, share].map(shown)).toEqual(row.slice(0, 2));
    if (isTold) expect(told).toBe(share);
    expect(new Set(servedBy)).toEqual(new Set(['first']));
    expect(moves).toBe(0);
  });

  test('with a failover is what the page says: with the key of the conversation it stays where it went', async () => {
    const shares: number[] = [];
    for (const isSick of [ONCE, EVERY_THIRD]) {
      const without = await through(dialect, isSick, false);
      const { servedBy, share, moves } = await through(dialect, isSick, true);
      const moved = STEPS.findIndex((_, at) => isSick(at));
      expect(servedBy).toEqual(STEPS.map((_, at) => (at < moved ? 'first' : 'second')));
      expect(moves).toBe(1);
      expect(share).toBeGreaterThan(without.share);
      shares.push(without.share, share);
    }
    expect(shares.map(shown)).toEqual(row.slice(2));
  });
});

function shown(share: number): string {
  return `${share.toFixed(1)} %`;
}
