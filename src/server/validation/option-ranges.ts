import type { Duration } from '@bufbuild/protobuf/wkt';
import {
  type GenerationOptions,
  GenerationOptionsSchema,
  ReasoningEffort,
} from '../../../gen/understudy/v1/chat_pb.ts';
import type { RoutingOptions } from '../../../gen/understudy/v1/routing_pb.ts';
import { MODEL_NAME } from '../../core/model-id.ts';
import { PROVIDERS } from '../../core/provider.ts';
import { answerCheck } from '../../structured-output/json-schema.ts';
import { checkExactNumbers } from './exact-numbers.ts';
import { checkOneAnswer } from './one-answer.ts';
import { isKnownEnumValue, TOOL_NAME, TOOL_NAME_RULE, type Report } from '../port/violations.ts';

/** Most texts that may end an answer. */
const MAX_STOPS = 16;

/** Longest name of a model, route, target or provider, and longest key of a conversation, in characters. */
const MAX_NAME_LENGTH = 256;

const TAKES_OPTIONS: ReadonlySet<string> = new Set(PROVIDERS);

/** Every field of `GenerationOptions`, so that a new one is missing below. */
type OptionName = Exclude<keyof GenerationOptions, '$typeName' | '$unknown'>;

/** The numbers from `least` on, or above `above`, up to `most`; a bound that is absent is none. Never NaN. */
interface NumberRange {
  readonly least?: number;
  readonly above?: number;
  readonly most?: number;
}

/** What an option may be: anything, a number of a range, or what a check of its own has nothing to report of. */
type OptionRange<Value> =
  | 'any'
  | (Value extends number ? NumberRange : never)
  | ((value: Value, path: string, report: Report) => void);

type OptionRanges = { readonly [Name in OptionName]: OptionRange<NonNullable<GenerationOptions[Name]>> };

/** What each option may be. What the comments of `GenerationOptions` in `proto/` promise is held here. */
export const OPTION_RANGES: OptionRanges = {
  temperature: { least: 0, most: 2 },
  topP: { above: 0, most: 1 },
  maxTokens: { least: 1 },
  stop: (stops, path, report) => {
    if (stops.length > MAX_STOPS) report(path, `must have at most ${MAX_STOPS} texts`);
    for (const [index, stop] of stops.slice(0, MAX_STOPS).entries()) {
      if (stop === '') report(`${path}[${index}]`, 'must not be empty');
    }
  },
  seed: 'any',
  presencePenalty: { least: -2, most: 2 },
  frequencyPenalty: { least: -2, most: 2 },
  reasoningEffort: (effort, path, report) => {
    if (!isKnownEnumValue(ReasoningEffort, effort)) report(path, 'must be one of the efforts');
  },
  responseFormat: ({ format }, path, report) => {
    if (format.case !== 'jsonSchema') return;
    if (!TOOL_NAME.test(format.value.name)) report(`${path}.json_schema.name`, TOOL_NAME_RULE);
    const check = answerCheck(format.value.schemaJson);
    if ('problem' in check) report(`${path}.json_schema.schema_json`, check.problem);
  },
  parallelToolCalls: 'any',
  endUser: 'any',
  promptCacheKey: checkName,
  providerOptions: (byProvider, path, report) => {
    for (const [provider, fields] of Object.entries(byProvider)) {
      const ownPath = `${path}[${JSON.stringify(provider)}]`;
      if (TAKES_OPTIONS.has(provider)) {
        checkOneAnswer(fields, ownPath, report);
        checkExactNumbers(fields, ownPath, report);
      } else report(ownPath, `must be one of ${PROVIDERS.join(', ')}`);
    }
  },
};

/** Checks `options`. */
export function checkOptions(options: GenerationOptions, report: Report): void {
  for (const name in OPTION_RANGES) if (isOption(name)) checkOption(name, options, report);
}

function checkOption<Name extends OptionName>(
  name: Name,
  options: Pick<GenerationOptions, Name>,
  report: Report,
): void {
  const value = options[name];
  const range: OptionRanges[Name] = OPTION_RANGES[name];
  if (value === undefined || value === null || range === 'any') return;
  const path = `options.${GenerationOptionsSchema.field[name].name}`;
  if (typeof range === 'function') range(value, path, report);
  else if (typeof value === 'number' && !isWithin(value, range)) report(path, inWords(range));
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(GenerationOptionsSchema.field, name);
}

/** Written so that NaN is refused too. */
function isWithin(value: number, { least = -Infinity, above = -Infinity, most = Infinity }: NumberRange): boolean {
  return value >= least && value > above && value <= most;
}

function inWords({ least, above, most }: NumberRange): string {
  if (least !== undefined && most !== undefined) return `must be between ${least} and ${most}`;
  const bounds = [
    ...(least === undefined ? [] : [`at least ${least}`]),
    ...(above === undefined ? [] : [`above ${above}`]),
    ...(most === undefined ? [] : [`at most ${most}`]),
  ];
  return `must be ${bounds.join(' and ')}`;
}

/** Checks `routing`, as far as it can be wrong whatever the configuration is. */
export function checkRouting(routing: RoutingOptions, report: Report): void {
  checkName(routing.route, 'routing.route', report);
  checkName(routing.preferredProvider, 'routing.preferred_provider', report);
  checkName(routing.affinityKey, 'routing.affinity_key', report);
  for (const [index, target] of routing.targets.entries()) {
    const path = `routing.targets[${index}]`;
    if (target === '') report(path, 'must not be empty');
    checkModel(target, path, report);
  }
  const cost = routing.maxCostUsd;
  if (cost !== undefined && !(cost > 0 && cost < Number.POSITIVE_INFINITY)) {
    report('routing.max_cost_usd', 'must be a number above 0');
  }
  const timeout = routing.firstOutputTimeout;
  if (timeout !== undefined && !isPositive(timeout)) report('routing.first_output_timeout', 'must be above 0');
}

/** Checks the length of a name. */
export function checkName(name: string, path: string, report: Report): void {
  if (name.length > MAX_NAME_LENGTH) report(path, `must have at most ${MAX_NAME_LENGTH} characters`);
}

/** Checks the name of a model, which may be empty, or of a target with a model: its length, and that it has no blanks. */
export function checkModel(name: string, path: string, report: Report): void {
  checkName(name, path, report);
  if (name !== '' && name.length <= MAX_NAME_LENGTH && !MODEL_NAME.test(name)) {
    report(path, 'must have no spaces and no control characters');
  }
}

function isPositive(duration: Duration): boolean {
  const { seconds, nanos } = duration;
  return seconds >= 0n && nanos >= 0 && nanos < 1_000_000_000 && (seconds > 0n || nanos > 0);
}
