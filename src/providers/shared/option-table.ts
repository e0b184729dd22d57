import type { GenerationOptions } from '../../../gen/understudy/v1/chat_pb.ts';
import { GenerationOptionsSchema } from '../../../gen/understudy/v1/chat_pb.ts';
import type { AdapterWarning } from '../port/adapter.ts';
import type { Effort } from '../port/effort.ts';
import { askedEffort } from './asked-effort.ts';
import type { GenerationSettings, ReadFormat } from './asked-tools.ts';
import { asRecord } from './json/value.ts';
import { parameterDropped } from './warnings.ts';

/** An option of the contract: every field of `GenerationOptions`, so that a new one is missing in each table. */
export type OptionName = Exclude<keyof GenerationOptions, '$typeName' | '$unknown'>;

/** An option as rules see it: the effort as a word, the format as it was read. */
type OptionValue<Name extends OptionName> = Name extends 'reasoningEffort'
  ? Effort
  : Name extends 'responseFormat'
    ? ReadFormat
    : Exclude<GenerationOptions[Name], undefined>;

/** The options of a request; what is not set, or is empty, is undefined. */
type OptionValues = { readonly [Name in OptionName]?: OptionValue<Name> | undefined };

/** Options in the form of a request body. */
export interface WireOptions {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly warnings: readonly AdapterWarning[];
  /** Stop texts that the provider is not told. */
  readonly localStop: readonly string[];
  /** Whether the provider is told no more of the schema of the answer than that it is JSON. */
  readonly localSchema?: boolean;
}

/** The option is sent as the field `sentAs` of the body, or of the object `within` it. */
interface Sent {
  readonly sentAs: string;
  readonly within?: string;
  /** What is sent; absent: the option as it is. */
  readonly value?: unknown;
}

/**
 * What becomes of an option, where it is set: it is left out with a warning (`dropped`), sent, or translated into fields and
 * warnings of its own. `laid_over`: by {@link withProviderOptions}.
 */
export type OptionOutcome = 'dropped' | 'laid_over' | Sent | Partial<WireOptions>;

/** What becomes of an option, or how that depends on its value, on the model and on what else is asked. Unset it is undefined. */
type OptionRule<Value, Settings> = OptionOutcome | ((value: Value | undefined, settings: Settings) => OptionOutcome);

/** A dialect's rule for every option. */
export type OptionTable<Settings> = { readonly [Name in OptionName]: OptionRule<OptionValue<Name>, Settings> };

const DROPPED = 'The model does not take this parameter; it was left out.';

/**
 * Translates the options of a request by the table of a dialect, in the order of the table. Every warning of an option that is
 * left out comes from here. Objects that several options write into are joined.
 */
export function translateOptions<Settings extends GenerationSettings>(
  table: OptionTable<Settings>,
  settings: Settings,
): WireOptions {
  const values = valuesOf(settings);
  const fields: Record<string, unknown> = {};
  const warnings: AdapterWarning[] = [];
  const localStop: string[] = [];
  let localSchema = false;
  for (const name in table) {
    if (!isOption(name)) continue;
    if (name === 'parallelToolCalls' && settings.tools.length === 0) {
      if (values[name] !== undefined) warnings.push(parameterDropped(fieldOf(name), WITHOUT_TOOLS));
      continue;
    }
    const outcome = outcomeOf(table, name, values, settings);
    if (outcome === 'laid_over') continue;
    if (outcome === 'dropped') {
      if (values[name] !== undefined) warnings.push(parameterDropped(fieldOf(name), DROPPED));
    } else if ('sentAs' in outcome) {
      if (values[name] !== undefined) join(fields, written(outcome, values[name]));
    } else {
      if (outcome.fields !== undefined) join(fields, outcome.fields);
      if (outcome.warnings !== undefined) warnings.push(...outcome.warnings);
      if (outcome.localStop !== undefined) localStop.push(...outcome.localStop);
      localSchema ||= outcome.localSchema === true;
    }
  }
  return { fields, warnings, localStop, ...(localSchema ? { localSchema } : {}) };
}

const WITHOUT_TOOLS = 'Without tools it means nothing; it was left out.';

function outcomeOf<Name extends OptionName, Settings>(
  table: OptionTable<Settings>,
  name: Name,
  values: Pick<OptionValues, Name>,
  settings: Settings,
): OptionOutcome {
  const rule: OptionRule<OptionValue<Name>, Settings> = table[name];
  return typeof rule === 'function' ? rule(values[name], settings) : rule;
}

function valuesOf({ options, format }: GenerationSettings): OptionValues {
  if (options === undefined) return {};
  return {
    ...options,
    stop: options.stop.length === 0 ? undefined : options.stop,
    endUser: options.endUser === '' ? undefined : options.endUser,
    promptCacheKey: options.promptCacheKey === '' ? undefined : options.promptCacheKey,
    reasoningEffort: askedEffort(options),
    responseFormat: format,
  };
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(GenerationOptionsSchema.field, name);
}

/** Name of an option in the contract. */
function fieldOf(name: OptionName): string {
  return `options.${GenerationOptionsSchema.field[name].name}`;
}

function written({ sentAs, within, value }: Sent, asked: unknown): Readonly<Record<string, unknown>> {
  const field = { [sentAs]: value ?? asked };
  return within === undefined ? field : { [within]: field };
}

function join(fields: Record<string, unknown>, more: Readonly<Record<string, unknown>>): void {
  for (const name in more) {
    const [ours, theirs] = [asRecord(fields[name]), asRecord(more[name])];
    fields[name] = ours === undefined || theirs === undefined ? more[name] : { ...ours, ...theirs };
  }
}
