/** Kinds of upstream, in the order in which detected ones form the chain. `mock` speaks OpenAI's Chat Completions. */
export const PROVIDERS = ['azure-openai', 'openai', 'anthropic', 'deepseek', 'ollama', 'mock'] as const;

/** A kind of upstream. */
export type ProviderName = (typeof PROVIDERS)[number];

/** The two APIs of OpenAI and Azure OpenAI. */
export type OpenAiApi = 'responses' | 'chat_completions';
