import type { FinishReason } from '../../src/core/answer.ts';
import type { ConfigInput } from '../../src/config/file/schema.ts';
import { anthropicExpectation, anthropicFinish, anthropicInBandVerdict, anthropicVerdict } from './anthropic-oracle.ts';
import { ollamaExpectation, ollamaFinish, ollamaInBandVerdict, ollamaVerdict } from './ollama-oracle.ts';
import type { FailureVerdict } from './openai-oracle.ts';
import { chatFinish, openAiInBandVerdict, openAiVerdict, responsesFinish } from './openai-oracle.ts';
import type { Expectation, ProviderRecording } from './recordings.ts';

type TargetInput = NonNullable<ConfigInput['targets']>[number];

/** How the recordings of one dialect are asked for, and what they are held to. */
export interface RecordedDialect {
  finishReason(expected: Expectation): FinishReason;
  verdict(recording: ProviderRecording): FailureVerdict | undefined;
  inBandVerdict(expected: Expectation): FailureVerdict | undefined;
  /** What is expected where the body, which the expectation is computed from, says it otherwise. */
  expectation?(computed: Expectation, body: string): Expectation;
  /** The target that speaks the dialect as the provider of a recording does; undefined where none of ours can. */
  target(provider: string): Pick<TargetInput, 'provider' | 'api'> | undefined;
  /** What comes between the origin of an upstream and the path of a call. */
  readonly basePath: string;
}

const DIALECTS: Readonly<Record<string, RecordedDialect>> = {
  openai: {
    finishReason: chatFinish,
    verdict: openAiVerdict,
    inBandVerdict: openAiInBandVerdict,
    target: (provider) => {
      if (provider === 'azure-openai') return { provider, api: 'chat_completions' };
      if (provider === 'deepseek') return { provider };
      // Groq, and Ollama's /v1, are the provider `openai` at another address.
      return { provider: 'openai', api: 'chat_completions' };
    },
    basePath: '/v1',
  },
  'openai-responses': {
    finishReason: responsesFinish,
    verdict: openAiVerdict,
    inBandVerdict: openAiInBandVerdict,
    target: (provider) => ({ provider: provider === 'azure-openai' ? provider : 'openai', api: 'responses' }),
    basePath: '/v1',
  },
  anthropic: {
    finishReason: anthropicFinish,
    verdict: anthropicVerdict,
    inBandVerdict: anthropicInBandVerdict,
    expectation: anthropicExpectation,
    target: (provider) => (provider === 'anthropic' ? { provider } : undefined),
    basePath: '',
  },
  ollama: {
    finishReason: ollamaFinish,
    verdict: ollamaVerdict,
    inBandVerdict: ollamaInBandVerdict,
    expectation: ollamaExpectation,
    target: (provider) => (provider === 'ollama' ? { provider } : undefined),
    basePath: '',
  },
};

/** A recording and the dialect that it is in. */
export interface RecordedCase {
  readonly id: string;
  /** The recording, with what is expected of us. */
  readonly recording: ProviderRecording;
  readonly dialect: RecordedDialect;
  /** Names of two targets with this recording behind them: one is asked alone, one with another behind it. */
  readonly alone: string;
  readonly lead: string;
}

/** Chooses the recordings that a target can be asked for; the others are returned with the reason. */
export function recordedCases(recordings: readonly ProviderRecording[]): {
  readonly cases: readonly RecordedCase[];
  readonly missing: readonly string[];
} {
  const cases: RecordedCase[] = [];
  const missing: string[] = [];
  for (const [index, recording] of recordings.entries()) {
    const { id, provider, kind, expect } = recording;
    const dialect = DIALECTS[recording.dialect];
    if (dialect?.target(provider) === undefined) {
      missing.push(`${id}: no target speaks ${recording.dialect} as ${provider} does`);
      continue;
    }
    const expected = kind === 'error' ? expect : (dialect.expectation?.(expect, recording.body) ?? expect);
    cases.push({ id, recording: { ...recording, expect: expected }, dialect, alone: `a-${index}`, lead: `b-${index}` });
  }
  return { cases, missing };
}

/** Makes the targets of a case; `origin` answers everything below the name of a target with the recording. */
export function targetsOf({ recording, dialect, alone, lead }: RecordedCase, origin: string): TargetInput[] {
  const spoken = dialect.target(recording.provider);
  if (spoken === undefined) throw new Error('a case without a target');
  const targetOf = (name: string): TargetInput => ({
    name,
    ...spoken,
    base_url: `${origin}/${name}${dialect.basePath}`,
    api_key: 'key-of-the-test',
    model: 'recorded-model',
  });
  return [targetOf(alone), targetOf(lead)];
}

/** Draws a table of categories and providers: how many recordings passed, of how many where these are not all. */
export function countTable(tried: readonly ProviderRecording[], passed: readonly ProviderRecording[]): string {
  const [all, good] = [countByCell(tried), countByCell(passed)];
  const columns = [...new Set(tried.map(columnOf))].toSorted();
  const rows = [...new Set(tried.flatMap(categoriesOf))].toSorted();
  const cellOf = (row: string, column: string): string => {
    const [of, count] = [all.get(`${row} ${column}`) ?? 0, good.get(`${row} ${column}`) ?? 0];
    if (of === 0) return '–';
    return of === count ? String(of) : `${count} of ${of}`;
  };
  const lines = [
    ['category', ...columns],
    ...rows.map((row) => [row].concat(columns.map((column) => cellOf(row, column)))),
  ];
  const widths = lines[0]?.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0))) ?? [];
  const drawn = lines.map((line) => line.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join('  '));
  return ['recordings that came through the gateway as recorded', ...drawn.map((line) => line.trimEnd())].join('\n');
}

function columnOf({ provider, dialect }: ProviderRecording): string {
  const shown = provider.replace(/ .*/, '');
  return dialect === 'openai-responses' ? `${shown} Responses` : dialect === provider ? shown : `${shown} ${dialect}`;
}

function categoriesOf({ kind, categories }: ProviderRecording): readonly string[] {
  return [...new Set(['(all)', `kind-${kind}`, ...categories])];
}

function countByCell(recordings: readonly ProviderRecording[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const recording of recordings) {
    for (const category of categoriesOf(recording)) {
      const cell = `${category} ${columnOf(recording)}`;
      counts.set(cell, (counts.get(cell) ?? 0) + 1);
    }
  }
  return counts;
}
