import type { ErrorKind } from '../answer/fault-catalogue.ts';
import type { ErrorTextContext } from './format.ts';

/** Whose errors: each has its own status, body and words for the same thing. */
export type ErrorHouse = 'openai_chat' | 'openai_responses' | 'azure' | 'deepseek' | 'mistral' | 'anthropic' | 'ollama';

/** Status and body of an error, before its headers. */
export interface WireError {
  readonly status: number;
  readonly body: string;
}

/** Of the error object of OpenAI and of those who imitate it. */
interface OpenAiError {
  readonly status: number;
  readonly message: string;
  readonly type?: string | null;
  readonly param?: string | null;
  readonly code: string | null;
  readonly innererror?: unknown;
}

type ErrorTable<Entry> = (context: ErrorTextContext) => Readonly<Record<ErrorKind, Entry>>;

/** Makes the error of a kind in the manner of a provider. */
export function errorOf(house: ErrorHouse, context: ErrorTextContext): WireError {
  return HOUSES[house](context);
}

const INVALID = 'invalid_request_error';
/** The context window that the mock pretends to have, in tokens. */
const WINDOW = 8192;

const openAiErrors: ErrorTable<OpenAiError> = ({ model, inputTokens }) => ({
  bad_request: { status: 400, message: 'The request body is not valid.', type: INVALID, code: null },
  auth: { status: 401, message: 'Incorrect API key provided.', type: INVALID, code: 'invalid_api_key' },
  quota: { status: 429, message: 'Your quota is used up.', type: 'insufficient_quota', code: 'insufficient_quota' },
  not_found: {
    status: 404,
    message: `The model \`${model}\` does not exist or you do not have access to it.`,
    type: INVALID,
    code: 'model_not_found',
  },
  prompt_blocked: {
    status: 400,
    message: 'The prompt was refused by the content policy.',
    type: INVALID,
    code: 'content_policy_violation',
  },
  context_length: {
    status: 400,
    message: `This model's maximum context length is ${WINDOW} tokens. However, your messages resulted in ${WINDOW + inputTokens} tokens.`,
    type: INVALID,
    param: 'messages',
    code: 'context_length_exceeded',
  },
  rate_limit: {
    status: 429,
    message: `Rate limit reached for ${model} on requests per min (RPM).`,
    type: 'requests',
    code: 'rate_limit_exceeded',
  },
  server_error: { status: 500, message: 'The server had an error.', type: 'server_error', code: 'server_error' },
  overloaded: { status: 503, message: 'The engine is overloaded.', type: 'server_error', code: null },
});

const responsesErrors: ErrorTable<OpenAiError> = (context) => {
  const chat = openAiErrors(context);
  return {
    ...chat,
    not_found: { status: 404, message: `Model not found ${context.model}`, type: INVALID, param: 'model', code: null },
    context_length: {
      ...chat.context_length,
      message: 'Your input exceeds the context window of this model.',
      param: 'input',
    },
  };
};

const SAFE = { filtered: false, severity: 'safe' };

const azureErrors: ErrorTable<OpenAiError> = (context) => ({
  ...openAiErrors(context),
  auth: { status: 401, message: 'Access denied due to invalid subscription key.', code: '401' },
  not_found: { status: 404, message: 'The API deployment does not exist.', type: INVALID, code: 'DeploymentNotFound' },
  prompt_blocked: {
    status: 400,
    message: 'The prompt was refused by the content management policy.',
    type: null,
    param: 'prompt',
    code: 'content_filter',
    innererror: {
      code: 'ResponsibleAIPolicyViolation',
      content_filter_result: {
        hate: SAFE,
        jailbreak: { filtered: false, detected: false },
        self_harm: SAFE,
        sexual: SAFE,
        violence: { filtered: true, severity: 'high' },
      },
    },
  },
  rate_limit: {
    status: 429,
    message: `Your requests to ${context.model} have exceeded the rate limit.`,
    code: 'RateLimitReached',
  },
  server_error: { status: 500, message: 'The server had an error.', code: 'InternalServerError' },
  overloaded: { status: 503, message: 'The system is under high demand.', code: 'ServiceUnavailable' },
});

/** DeepSeek's code is `invalid_request_error` whatever happened; status and type tell. */
const deepseekErrors: ErrorTable<OpenAiError> = (context) => ({
  bad_request: { status: 400, message: 'The request body is not valid.', type: INVALID, code: INVALID },
  auth: { status: 401, message: 'Authentication Fails', type: 'authentication_error', code: INVALID },
  quota: { status: 402, message: 'Insufficient Balance', type: 'unknown_error', code: INVALID },
  not_found: { status: 404, message: 'Model Not Exist', type: INVALID, code: INVALID },
  prompt_blocked: { status: 400, message: 'Content Exists Risk', type: INVALID, code: INVALID },
  context_length: { ...openAiErrors(context).context_length, param: null, code: INVALID },
  rate_limit: { status: 429, message: 'Too many requests at once.', type: 'rate_limit_error', code: INVALID },
  server_error: { status: 500, message: 'The server had an error.', type: 'server_error', code: 'server_error' },
  overloaded: { status: 503, message: 'The server is overloaded.', type: 'server_error', code: 'server_error' },
});

/** Mistral's errors have numbers for codes, and no object around them. */
const mistralErrors: ErrorTable<OpenAiError> = (context) => ({
  ...openAiErrors(context),
  auth: { status: 401, message: 'Unauthorized', type: 'unauthorized', code: null },
  not_found: { status: 400, message: `Invalid model: ${context.model}`, type: 'invalid_model', code: '1500' },
  context_length: {
    status: 400,
    message: `Prompt contains ${WINDOW + context.inputTokens} tokens, too large for model with ${WINDOW} maximum context length`,
    type: 'invalid_request_prompt',
    code: '3051',
  },
  rate_limit: { status: 429, message: 'Rate limit exceeded', type: 'rate_limited', code: '1300' },
  overloaded: { status: 503, message: 'Service unavailable.', type: 'unreachable_backend', code: '1100' },
});

/** Anthropic has no error of its own for a blocked prompt: it is an invalid request whose message says so. */
const anthropicErrors: ErrorTable<readonly [number, string, string]> = ({ model, inputTokens }) => ({
  bad_request: [400, INVALID, 'The request body is not valid.'],
  auth: [401, 'authentication_error', 'invalid bearer token'],
  quota: [402, 'billing_error', 'Your credit balance is too low.'],
  not_found: [404, 'not_found_error', `model: ${model}`],
  prompt_blocked: [400, INVALID, 'Output blocked by content filtering policy'],
  context_length: [400, INVALID, `prompt is too long: ${WINDOW + inputTokens} tokens > ${WINDOW} maximum`],
  rate_limit: [429, 'rate_limit_error', 'This request would exceed your rate limit.'],
  server_error: [500, 'api_error', 'Internal server error'],
  overloaded: [529, 'overloaded_error', 'Overloaded'],
});

/** Ollama has neither quotas nor a filter; these are what its cloud, or a proxy before it, would say. */
const ollamaErrors: ErrorTable<readonly [number, string]> = ({ model }) => ({
  bad_request: [400, 'invalid request body'],
  auth: [401, 'unauthorized'],
  quota: [402, 'the credit of this account is used up'],
  not_found: [404, `model '${model}' not found`],
  prompt_blocked: [400, 'the prompt was refused by the content filter'],
  context_length: [400, 'the input length exceeds the context length'],
  rate_limit: [429, 'too many requests'],
  server_error: [500, 'the model runner has stopped unexpectedly'],
  overloaded: [503, 'server busy, please try again.  maximum pending requests exceeded'],
});

const HOUSES = {
  openai_chat: (context) => openAiBody(openAiErrors(context)[context.kind], 2),
  openai_responses: (context) => openAiBody(responsesErrors(context)[context.kind], 2),
  azure: (context) => openAiBody(azureErrors(context)[context.kind], 0),
  deepseek: (context) => openAiBody(deepseekErrors(context)[context.kind], 0),
  mistral: (context) => {
    const { status, message, type, param = null, code } = mistralErrors(context)[context.kind];
    return { status, body: JSON.stringify({ object: 'error', message, type, param, code }) };
  },
  anthropic: (context) => {
    const [status, type, message] = anthropicErrors(context)[context.kind];
    const error = { details: null, type, message };
    return { status, body: JSON.stringify({ type: 'error', error, request_id: context.requestId }) };
  },
  ollama: (context) => {
    const [status, error] = ollamaErrors(context)[context.kind];
    return { status, body: JSON.stringify({ error }) };
  },
} as const satisfies Record<ErrorHouse, (context: ErrorTextContext) => WireError>;

function openAiBody({ status, message, type, param, code, innererror }: OpenAiError, indent: number): WireError {
  const error = {
    message,
    ...(type === undefined ? {} : { type, param: param ?? null }),
    code,
    ...(innererror === undefined ? {} : { innererror }),
  };
  return { status, body: JSON.stringify({ error }, null, indent) };
}
