import { describe, expect, it } from 'vitest';
import { openai } from '../../../../src/providers/openai.ts';
import { DIALECTS, ENVELOPES, refused } from '../../../support/error-envelopes.ts';

/** What servers say, with the status that they say it with; of each kind of thing the words of many makers. */
const OVERFLOWS: readonly (readonly [status: number, words: string, field?: string])[] = [
  [400, "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens."],
  [400, 'Your input exceeds the context window of this model. Please adjust your input and try again.'],
  [400, 'request (9001 tokens) exceeds the available context size (8192 tokens), try increasing it'],
  [400, 'the request exceeds the available context size. try increasing the context size or enable context shift'],
  [500, 'Context size has been exceeded.'],
  [400, "The input (9001 tokens) is longer than the model's context length (8192 tokens)."],
  [400, "Requested token count exceeds the model's maximum context length of 8192 tokens."],
  [400, 'The decoder prompt (length 9001) is longer than the maximum model length of 8192.'],
  [400, 'The prompt is too long: 9001, model maximum context length: 8192'],
  [400, 'prompt is too long: 9001 tokens > 8192 maximum'],
  [
    400,
    'input length and `max_tokens` exceed context limit: 8000 + 1000 > 8192, decrease input length or `max_tokens`',
  ],
  [422, 'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. Given: 9000 `inputs` tokens'],
  [422, 'Input validation error: `inputs` must have less than 8192 tokens. Given: 9001'],
  [400, 'the input length exceeds the context length'],
  [500, 'input length exceeds maximum context length'],
  [400, 'prompt too long; exceeded max context length by 12 tokens (ref: 1)'],
  [400, 'The number of tokens to keep from the initial prompt is greater than the context length.'],
  [
    400,
    'Trying to keep the first 9001 tokens when context the overflows. However, the model is loaded with context length of only 8192 tokens',
  ],
  [400, 'Please reduce the length of the messages or completion. Current length is 9001 while limit is 8192'],
  [400, 'Prompt contains 9001 tokens and 0 draft tokens, too large for model with 8192 maximum context length'],
  [400, "This model's maximum prompt length is 8192 but the request contains 9001 tokens."],
  [400, 'The input token count (9001) exceeds the maximum number of tokens allowed (8192).'],
  [400, 'Input tokens exceed the configured limit of 8192 tokens. Your messages resulted in 9001 tokens.'],
  [400, 'Invalid request: Your request exceeded model token limit: 8192 (requested: 9001)'],
  [400, 'invalid params, context window exceeds limit (2013)'],
  [400, 'Prompt exceeds max length'],
  [400, 'Range of input length should be [1, 8192]'],
  [400, 'too many tokens: total number of tokens in the prompt cannot exceed 8192'],
  [400, 'Input is too long for requested model.'],
  [
    400,
    'The estimated number of input and maximum output tokens (9001) exceeded this model context window limit (8192).',
  ],
  [400, 'prompt token count of 9001 exceeds the limit of 8192'],
  [400, 'The message you submitted was too long, please submit something shorter'],
  [400, 'Prompt length (9001) exceeds maximum allowed (8192)'],
  [400, "You passed 9001 input tokens. However, the model's context length is only 8192 tokens"],
  [400, 'The engine prompt length 9001 exceeds the max_model_len 8192. Please reduce prompt.'],
  [400, 'Prompt has 9,001 tokens, but the configured context size is 8,192 tokens'],
  [400, 'Input length 9001 exceeds the maximum allowed input length of 8192 tokens.'],
  [400, 'litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - too long'],
  [500, 'input is too large to process. increase the physical batch size'],
  [500, 'input (9001 tokens) is too large to process. increase the physical batch size (512)'],
  [413, 'Request too large for model x on tokens per minute (TPM): Limit 6000, Requested 9001'],
  [
    400,
    "'max_tokens' or 'max_completion_tokens' is too large: 9000. This model's maximum context length is 8192 tokens and your request has 20 input tokens",
    'options.max_tokens',
  ],
  [
    400,
    'max_tokens=9000 cannot be greater than max_model_len=8192. Please request fewer output tokens.',
    'options.max_tokens',
  ],
];

const TOO_LONG_ANSWERS = [
  [400, 'max_tokens is too large: 9000. This model supports at most 4096 completion tokens'],
  [
    400,
    '`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the window',
  ],
  [400, 'Range of max_tokens should be [1, 8192]'],
  [400, 'Invalid max_tokens value, the valid range of max_tokens is [1, 8192]'],
  [400, 'max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens for x'],
  [422, 'max_new_tokens must be at most 4096'],
] as const;

const MISSING_MODELS = [
  [404, 'The model `x/y` does not exist.'],
  [400, 'The model `qwen2.5-7b` has been decommissioned and is no longer supported.'],
  [400, 'vendor/model-1.5 is not a valid model ID'],
  [400, 'Model Not Exist'],
  [400, 'model "x" not found, try pulling it first'],
  [500, 'model "x" not found, try pulling it first'],
  [400, 'Invalid model: x'],
  [422, 'Unknown model: x'],
  [410, "The model 'x' has reached its end of life on 2026-10-01 and is no longer available."],
  [400, 'Invalid model name passed in model=x. Call `/v1/models` to view available models for your key.'],
  [400, 'The requested model is not supported.'],
  [404, 'No endpoints found for vendor/model.'],
  [403, 'Project p does not have access to model x'],
  [403, 'You do not have permission to access this model'],
  [400, "x: model doesn't exist"],
  [400, 'Unable to find model x'],
  [400, 'no model loaded'],
  [400, 'Invocation of model ID x with on-demand throughput isn’t supported.'],
  [403, '该令牌无权访问模型 x'],
  [403, 'this model requires a subscription, upgrade your plan for access'],
  [500, 'x/y is not a local folder and is not a valid model identifier. Pass a token if it is private.'],
  [400, "Server is pinned to 'a/b' and cannot serve the model 'c/d'"],
  [400, "Server is pinned to '/srv/llm/v1.5/small'; requested 'c/d'."],
] as const;

const EMPTY_ACCOUNTS = [
  [429, 'Insufficient balance or no resource package. Please recharge.'],
  [429, 'insufficient balance (1008)'],
  [500, 'insufficient balance (1008)'],
  [401, 'Insufficient balance. Manage your billing here: …'],
  [403, 'Sorry, your account balance is insufficient'],
  [403, 'Your team has either used all available credits or reached its monthly spending limit.'],
  [403, "Your newly created team doesn't have any credits or licenses yet."],
  [402, 'Payment Required'],
  [429, 'Your account is suspended due to insufficient balance, please recharge your account'],
  [400, 'Access denied, please make sure your account is in good standing.'],
  [403, 'The account is in arrears.'],
  [400, 'Your credit balance is too low to access the API. Please go to Plans & Billing to purchase credits.'],
  [400, 'ExceededBudget: budget has been exceeded! Current cost: 2, max budget: 1'],
  [403, '账户余额不足'],
  [403, 'user quota is not enough, remaining: 0'],
  [403, 'This API method requires billing to be enabled.'],
  [403, 'Key limit exceeded (total limit). Manage it on the page of keys.'],
  [400, 'You have reached your specified API usage limits. You will regain access next month.'],
  [429, 'Your prepayment credits are depleted.'],
  [402, 'This request requires more credits, or fewer max_tokens. You can only afford 7'],
  [429, 'You exceeded your current quota, please check your plan and billing details.'],
  [412, 'Account acme is suspended, possibly due to reaching its monthly spending limit or past invoices.'],
  [429, 'you have reached your weekly usage limit, upgrade for higher limits'],
] as const;

const REFUSED_KEYS = [
  [400, 'API key not valid. Please pass a valid API key.'],
  [400, 'Incorrect API key provided: xx***. You can obtain an API key from the console.'],
  [403, 'Your API key was reported as leaked. Please use another API key.'],
  [404, 'Invalid API key'],
  [422, 'Invalid authorization header'],
  [400, 'No api key passed in.'],
  [400, 'Authentication Error, no credentials'],
  [400, 'No connected db.'],
  [400, 'This organization has been disabled.'],
  [400, 'This credential is only authorized for use with another program.'],
  [400, 'Malformed LiteLLM Virtual Key passed in'],
  [400, 'login fail: Please carry the API secret key'],
  [400, 'User location is not supported for the API use.'],
] as const;

const FILTERED = [
  [403, 'The model requires moderation. Your input was flagged for "violence". No credits were charged.'],
  [400, 'Content Exists Risk'],
  [400, 'The request was rejected because it was considered high risk'],
  [400, 'Input or output data may contain inappropriate content.'],
  [400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."],
  [400, 'Your request was rejected as a result of our safety system.'],
  [403, 'Content violates usage guidelines. Failed check: X'],
  [400, 'Invalid prompt: your prompt was flagged as potentially violating our usage policy.'],
  [500, 'input new_sensitive (1026)'],
  [400, 'Output blocked by content filtering policy'],
  [400, 'The request failed because the input text may contain sensitive information.'],
  [400, 'Content blocked: prompt injection detected by guardrail'],
  [400, '系统检测到输入或生成内容可能包含不安全或敏感内容'],
] as const;

const UNSUPPORTED: readonly (readonly [status: number, words: string, field: string | undefined])[] = [
  [500, 'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj', 'messages'],
  [400, 'some/model is not a multimodal model', 'messages'],
  [400, 'At most 0 image(s) may be provided in one prompt.', 'messages'],
  [500, 'this model is missing data required for image input', 'messages'],
  [500, 'failed to process image', 'messages'],
  [500, 'cannot identify image file <_io.BytesIO object>', 'messages'],
  [400, 'Developer instruction is not enabled for models/x', 'messages'],
  [400, "Invalid tool schema: unsupported keyword 'oneOf'", 'tools'],
  [400, 'Model does not support images. Please use a model that does.', 'messages'],
  [404, 'No endpoints found that support image input', 'messages'],
  [400, 'Invalid content type. image_url is only supported by certain models.', 'messages'],
  [422, 'Failed to deserialize: messages[0]: unknown variant `image_url`, expected `text`', 'messages'],
  [400, "messages.content.type is invalid, allowed values: ['text']", 'messages'],
  [400, 'messages[0].content must be a string', 'messages'],
  [415, 'Audio input is not supported by this server', 'messages'],
  [400, 'File content is currently not supported', 'messages'],
  [400, "unsupported content type 'image_url'", 'messages'],
  [500, 'Jinja Exception: System message must be at the beginning.', 'messages'],
  [400, 'Conversation roles must alternate user/assistant/user/assistant/...', 'messages'],
  [400, "Unexpected role 'user' after role 'tool'", 'messages'],
  [400, 'Function call is missing a thought_signature in functionCall parts.', 'messages'],
  [400, 'thinking is enabled but reasoning_content is missing in assistant tool call message at index 2', 'messages'],
  [400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set', 'tools'],
  [500, 'tools param requires --jinja flag', 'tools'],
  [500, 'Unable to generate parser for this template. See the chat template.', 'tools'],
  [400, 'registry.example/x does not support tools', 'tools'],
  [404, 'No endpoints found that support tool use.', 'tools'],
  [400, '`tool calling` is not supported with this model', undefined],
  [400, "Invalid schema for function 'f': schema must have type 'object'", 'tools'],
  [
    400,
    `Invalid JSON payload received. Unknown name "$ref" at 'tools[0].function_declarations[0].parameters': Cannot find field.`,
    'tools',
  ],
  [400, 'tools.0.custom.input_schema: JSON schema is invalid', 'tools'],
  [404, "No endpoints found that support the provided 'tool_choice' value", 'tool_choice'],
  [400, 'This response_format type is unavailable now', 'options.response_format'],
  [400, "'response_format.type' must be 'json_schema' or 'text'", 'options.response_format'],
  [400, 'This model does not support structured outputs', 'options.response_format'],
  [400, 'JSON mode is not supported', 'options.response_format'],
  [400, `Unknown name "oneOf" at 'generation_config.response_schema': Cannot find field.`, 'options.response_format'],
  [500, 'failed to parse grammar', 'options.response_format'],
  [400, '"x" does not support thinking', 'options.reasoning_effort'],
  [400, 'parameter.enable_thinking must be set to false for calls without a stream', 'options.reasoning_effort'],
  [400, 'The value of the enable_thinking parameter is restricted to True.', 'options.reasoning_effort'],
  [400, 'invalid temperature: only 1 is allowed for this model', 'options.temperature'],
  [400, 'invalid top_p: only 0.95 is allowed for this model', undefined],
  [400, 'The completion operation does not work with the specified model, x. Choose another.', undefined],
  [400, 'Argument not supported on this model: stop', undefined],
  [400, 'Invalid JSON payload received. Unknown name "seed": Cannot find field.', 'options.seed'],
  [400, 'Unrecognized request argument supplied: max_completion_tokens', 'options.max_tokens'],
  [400, "property 'parallel_tool_calls' is unsupported", 'options.parallel_tool_calls'],
  [400, "Unsupported parameter: 'temperature' is not supported with this model.", 'options.temperature'],
];

const LIMITS = [
  [400, 'Rate limit exceeded, please slow down'],
  [403, 'You have exceeded the secondary rate limit'],
  [500, 'Too many requests'],
  [403, 'Out of call volume quota. Quota will be replenished in 00:12:45.'],
  [429, 'Anything'],
] as const;

describe.each(DIALECTS)('what servers say in answers of %s', (_, adapter) => {
  describe.each(Object.entries(ENVELOPES))('as %s', (_name, wrap) => {
    const reasonOf = (status: number, words: string) => refused(adapter, status, wrap(words, status)).reason;

    it.each([
      ['an overflow', OVERFLOWS, 'CONTEXT_LENGTH_EXCEEDED'],
      ['an answer that would be too long', TOO_LONG_ANSWERS, 'UNSUPPORTED_PARAMETER'],
      ['a model that is gone', MISSING_MODELS, 'PROVIDER_MODEL_NOT_FOUND'],
      ['an account without money', EMPTY_ACCOUNTS, 'PROVIDER_QUOTA_EXHAUSTED'],
      ['a refused key', REFUSED_KEYS, 'PROVIDER_AUTH_FAILED'],
      ['a blocked prompt', FILTERED, 'PROMPT_BLOCKED'],
      ['what a model does not take', UNSUPPORTED, 'UNSUPPORTED_PARAMETER'],
      ['a limit of rates', LIMITS, 'PROVIDER_RATE_LIMITED'],
    ] as const)('is known for %s', (_kind, said, reason) => {
      const found = said.map(([status, words]) => [status, words, reasonOf(status, words)]);
      expect(found).toEqual(said.map(([status, words]) => [status, words, reason]));
    });
  });
});

describe('a field of the request', () => {
  const chat = openai('chat_completions');
  const wrap = (message: string) => JSON.stringify({ error: { message } });

  const named: readonly (readonly [status: number, words: string, field: string | undefined])[] = [
    ...UNSUPPORTED,
    ...TOO_LONG_ANSWERS.map(([status, words]) => [status, words, 'options.max_tokens'] as const),
    ...OVERFLOWS.filter(([, , field]) => field !== undefined).map(
      ([status, words, field]) => [status, words, field] as const,
    ),
  ];

  it.each(named)('is named for %i "%s"', (status, words, field) => {
    expect(refused(chat, status, wrap(words)).field).toBe(field);
  });
});
