import type { Adapter, AdapterWarning } from './port/adapter.ts';
import type { WireOptions } from './shared/chat-options.ts';
import { dropSet, exactSeed, setOnly } from './shared/chat-options.ts';
import type { Asked } from './shared/asked-tools.ts';
import { strictDropped } from './shared/asked-tools.ts';
import type { Effort } from './port/effort.ts';
import { askedEffort, effortAdjusted, nearestEffort } from './shared/asked-effort.ts';
import { CHAT_TAKES, chatCompletions, splitStop } from './openai/chat-completions/completions.ts';
import { chatFormat, chatToolFields } from './openai/shared/function-tools.ts';

/**
 * Groq's API: Chat Completions over open models of several makers.
 *
 * Sources: https://console.groq.com/docs/api-reference, https://console.groq.com/docs/reasoning,
 * https://console.groq.com/docs/structured-outputs.
 */
export const groq: Adapter = chatCompletions({
  takes: (model) => ({ ...CHAT_TAKES, images: isGptOss(model) ? 'none' : 'url_and_data', files: 'none' }),
  options: groqOptions,
  messages: () => ({ systemRole: 'system', partsInToolMessages: false, replaysReasoning: false }),
  streamOptions: () => ({ include_usage: true }),
  keepsReasoning: false,
});

function groqOptions(asked: Asked, model: string): WireOptions {
  const { options, tools, format } = asked;
  const stop = splitStop(options?.stop ?? [], true);
  const effort = effortOf(askedEffort(options), model);
  const seed = exactSeed(options);
  // Only these models are held to a schema; others attempt to match it.
  const isHeld = format?.type === 'json_schema' && format.strict && isGptOss(model);
  return {
    fields: {
      ...chatToolFields({ ...asked, tools: tools.map((tool) => ({ ...tool, strict: false })) }, false),
      ...setOnly({
        parallel_tool_calls: tools.length === 0 ? undefined : options?.parallelToolCalls,
        response_format:
          format === undefined
            ? undefined
            : chatFormat(format.type === 'json_schema' ? { ...format, strict: isHeld } : format),
        temperature: options?.temperature,
        top_p: options?.topP,
        max_completion_tokens: options?.maxTokens,
        reasoning_effort: effort.value,
        stop: stop.remote.length === 0 ? undefined : stop.remote,
        seed,
        user: options?.endUser === '' ? undefined : options?.endUser,
      }),
    },
    warnings: [
      ...effort.warnings,
      ...strictDropped(tools),
      ...dropSet({
        seed: seed === undefined ? options?.seed : undefined,
        presence_penalty: options?.presencePenalty,
        frequency_penalty: options?.frequencyPenalty,
      }),
    ],
    localStop: stop.local,
    ...(format?.type === 'json_schema' && !isHeld ? { localSchema: true } : {}),
  };
}

const GPT_OSS_EFFORTS = ['low', 'medium', 'high'] as const satisfies readonly Effort[];

/** GPT-OSS takes three efforts and always reasons; Qwen3 reasons or does not; others take no effort. */
function effortOf(
  asked: Effort | undefined,
  model: string,
): { readonly value?: string; readonly warnings: readonly AdapterWarning[] } {
  if (asked === undefined) return { warnings: [] };
  if (isGptOss(model)) {
    const value = nearestEffort(asked, GPT_OSS_EFFORTS);
    return { value, warnings: value === asked ? [] : [effortAdjusted(value)] };
  }
  if (model.startsWith('qwen/qwen3')) return { value: asked === 'none' ? 'none' : 'default', warnings: [] };
  return { warnings: asked === 'none' ? [] : dropSet({ reasoning_effort: asked }) };
}

function isGptOss(model: string): boolean {
  return model.includes('gpt-oss');
}
