import type { DistinctName, ProviderName } from '../../core/provider.ts';
import { isCompatible } from '../../core/provider.ts';
import { chatApiOf } from '../answer/chat-apis.ts';
import type { ChatHouse, UnknownFieldReply } from '../answer/chat-apis.ts';
import type { ErrorKind } from '../answer/fault-catalogue.ts';
import type { Dialect } from '../answer/asked-request.ts';
import { randomText, uuidFrom } from '../shared/seeded.ts';
import type { Chance } from '../shared/seeded.ts';
import { ANTHROPIC_WIRE } from './messages-format.ts';
import type { ErrorHouse } from './error-format.ts';
import { OLLAMA_WIRE } from './ollama-format.ts';
import { chatWire } from './completions-format.ts';
import { RESPONSES_WIRE } from './responses-format.ts';
import type { Wire } from './format.ts';

type Headers = Readonly<Record<string, string>>;

/** How one provider answers at one of its APIs. */
export interface House {
  readonly wire: Wire;
  readonly errors: ErrorHouse;
  readonly unknownFields: UnknownFieldReply;
  readonly headers: Headers;
  /** The id of the call, as headers and error bodies carry it; empty where the provider has none. */
  readonly requestId: string;
}

const ERROR_HOUSES = {
  azure: { chat: 'azure', responses: 'azure' },
  openai: { chat: 'openai_chat', responses: 'openai_responses' },
  deepseek: { chat: 'deepseek', responses: 'deepseek' },
  mistral: { chat: 'mistral', responses: 'openai_responses' },
  compatible: { chat: 'openai_chat', responses: 'openai_responses' },
} as const satisfies Record<ChatHouse, Record<'chat' | 'responses', ErrorHouse>>;

const OWN_DIALECTS = {
  'azure-openai': 'chat',
  openai: 'chat',
  anthropic: 'anthropic',
  deepseek: 'chat',
  ollama: 'ollama',
  mock: 'chat',
} as const satisfies Record<DistinctName, Dialect>;

/** Returns the API of a provider's own, for answers to paths that it does not have. */
export function ownDialect(provider: ProviderName): Dialect {
  return isCompatible(provider) ? 'chat' : OWN_DIALECTS[provider];
}

/** Returns how a provider answers; `chance` makes the ids of this call. */
export function houseOf(provider: ProviderName, dialect: Dialect, chance: Chance): House {
  const digits = randomText(chance, 32);
  switch (dialect) {
    case 'anthropic': {
      const requestId = `req_01${digits.slice(0, 22)}`;
      const headers = { 'request-id': requestId };
      return { wire: ANTHROPIC_WIRE, errors: 'anthropic', unknownFields: 'extra_inputs', requestId, headers };
    }
    case 'ollama':
      return { wire: OLLAMA_WIRE, errors: 'ollama', unknownFields: 'overlooked', requestId: '', headers: {} };
    case 'chat': {
      const { house = 'compatible', unknownFields = 'unrecognized', ...api } = chatApiOf(provider);
      const errors = ERROR_HOUSES[house].chat;
      return { wire: chatWire(house, api), errors, unknownFields, ...openAiIds(house, digits) };
    }
    case 'responses': {
      const { house = 'compatible' } = chatApiOf(provider);
      const errors = ERROR_HOUSES[house].responses;
      const unknownFields = house === 'azure' ? 'unrecognized' : 'unknown_parameter';
      return { wire: RESPONSES_WIRE, errors, unknownFields, ...openAiIds(house, digits) };
    }
  }
}

/** Returns the headers of a success. */
export function successHeaders(house: House, streamed: boolean): Headers {
  return { 'content-type': streamed ? STREAM_TYPES[house.wire.framing] : 'application/json', ...house.headers };
}

const STREAM_TYPES = {
  sse: 'text/event-stream; charset=utf-8',
  ndjson: 'application/x-ndjson',
} as const satisfies Record<Wire['framing'], string>;

/** Returns the headers of an error. OpenAI and Azure give Retry-After in milliseconds too. */
export function faultHeaders(house: House, kind: ErrorKind, retryAfterSeconds: number | undefined): Headers {
  const givesMs = house.errors === 'azure' || house.errors === 'openai_chat' || house.errors === 'openai_responses';
  const isTemporary = kind === 'rate_limit' || kind === 'server_error' || kind === 'overloaded';
  return {
    'content-type': 'application/json',
    ...house.headers,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    ...(retryAfterSeconds === undefined || !givesMs ? {} : { 'retry-after-ms': String(retryAfterSeconds * 1000) }),
    ...(house.errors === 'anthropic' ? { 'x-should-retry': String(isTemporary) } : {}),
  };
}

function openAiIds(house: ChatHouse, digits: string): Pick<House, 'requestId' | 'headers'> {
  const requestId = house === 'azure' ? uuidFrom(digits) : `req_${digits}`;
  switch (house) {
    case 'azure':
      return {
        requestId,
        headers: { 'apim-request-id': requestId, 'x-request-id': requestId, 'x-ms-region': 'Mock Region' },
      };
    case 'deepseek':
      return { requestId: digits, headers: { 'x-ds-trace-id': digits } };
    case 'mistral':
      return { requestId: uuidFrom(digits), headers: { 'mistral-correlation-id': uuidFrom(digits) } };
    case 'openai':
      return { requestId, headers: { 'x-request-id': requestId, 'openai-version': '2020-10-01' } };
    case 'compatible':
      return { requestId, headers: { 'x-request-id': requestId } };
  }
}
