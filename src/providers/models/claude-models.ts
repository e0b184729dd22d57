import type { Effort } from '../port/effort.ts';

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'] as const satisfies readonly Effort[];

/** What a Claude model takes, as far as the translation of a request depends on it. */
export interface ClaudeModel {
  /** How thinking is asked for: by effort, or by a budget of tokens. */
  readonly thinking: 'adaptive' | 'budget';
  /** The `thinking.type` that turns thinking off. Absent: it cannot be turned off. */
  readonly off?: 'disabled' | 'between_tools';
  /** The levels of `output_config.effort` that are accepted, from the least to the most. */
  readonly efforts: readonly Effort[];
  /** Whether a system message may stand between turns. */
  readonly systemBetweenTurns: boolean;
  /** Whether a call of a tool can be required; it is taken only while the model does not think. */
  readonly forcesTools: boolean;
  /** Most tokens of one answer; unknown for models that are not in the table. */
  readonly maxOutputTokens?: number;
}

const CURRENT: ClaudeModel = {
  thinking: 'adaptive',
  efforts: EFFORTS,
  systemBetweenTurns: true,
  forcesTools: false,
  maxOutputTokens: 128_000,
};
/** Thinks unless it is told not to. */
const OPTIONAL: ClaudeModel = { ...CURRENT, off: 'disabled', forcesTools: true };
const ADAPTIVE_4_7: ClaudeModel = { ...OPTIONAL, systemBetweenTurns: false };
const ADAPTIVE_4_6: ClaudeModel = { ...ADAPTIVE_4_7, efforts: ['low', 'medium', 'high', 'max'] };
const BUDGET: ClaudeModel = {
  thinking: 'budget',
  off: 'disabled',
  efforts: [],
  systemBetweenTurns: false,
  forcesTools: true,
  maxOutputTokens: 64_000,
};

/**
 * Models by exact id: `claude-sonnet-5` must not lend its row to `claude-sonnet-5-5`. Sources: the model pages and the
 * thinking, effort and tool guides of platform.claude.com, November 2026.
 */
const MODELS: ReadonlyMap<string, ClaudeModel> = new Map([
  ['claude-fable-5-2', CURRENT],
  ['claude-fable-5-1', CURRENT],
  ['claude-fable-5', CURRENT],
  ['claude-mythos-5-2', CURRENT],
  ['claude-mythos-5-1', CURRENT],
  ['claude-mythos-5', CURRENT],
  ['claude-opus-5-5', CURRENT],
  ['claude-sonnet-5-5', { ...CURRENT, off: 'between_tools' }],
  ['claude-haiku-5-5', OPTIONAL],
  ['claude-opus-5', OPTIONAL],
  ['claude-opus-4-8', OPTIONAL],
  ['claude-sonnet-5', ADAPTIVE_4_7],
  ['claude-opus-4-7', ADAPTIVE_4_7],
  ['claude-opus-4-6', ADAPTIVE_4_6],
  ['claude-sonnet-4-6', ADAPTIVE_4_6],
  ['claude-opus-4-5', BUDGET],
  ['claude-sonnet-4-5', BUDGET],
  ['claude-haiku-4-5', BUDGET],
  ['claude-opus-4-1', { ...BUDGET, maxOutputTokens: 32_000 }],
  ['claude-opus-4-0', { ...BUDGET, maxOutputTokens: 32_000 }],
  ['claude-opus-4', { ...BUDGET, maxOutputTokens: 32_000 }],
  ['claude-sonnet-4-0', BUDGET],
  ['claude-sonnet-4', BUDGET],
]);

/** An unknown model is taken for a newer one, but gets nothing that some current model rejects. */
const UNKNOWN: ClaudeModel = { thinking: 'adaptive', efforts: EFFORTS, systemBetweenTurns: false, forcesTools: false };

/** Returns what a model takes, by its id with or without the date of a snapshot. */
export function claudeModel(id: string): ClaudeModel {
  return MODELS.get(withoutDate(id)) ?? UNKNOWN;
}

/** Tells whether two ids are known to name different models; of ids that are not in the table nothing is known. */
export function areDifferentModels(one: string, other: string): boolean {
  const [first, second] = [withoutDate(one), withoutDate(other)];
  return first !== second && MODELS.has(first) && MODELS.has(second);
}

function withoutDate(id: string): string {
  return id.replace(/-\d{8}$/, '');
}
