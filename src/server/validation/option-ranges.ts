import type { Duration } from '@bufbuild/protobuf/wkt';
import { type GenerationOptions, ReasoningEffort } from '../../../gen/understudy/v1/chat_pb.ts';
import type { RoutingOptions } from '../../../gen/understudy/v1/routing_pb.ts';
import { PROVIDERS } from '../../core/provider.ts';
import { answerCheck } from '../../structured-output/json-schema.ts';
import { isKnownEnumValue, TOOL_NAME, TOOL_NAME_RULE, type Report } from '../port/violations.ts';

/** Most texts that may end an answer. */
const MAX_STOPS = 16;

/** Longest name of a model, route, target or provider, in characters. */
const MAX_NAME_LENGTH = 256;

const TAKES_OPTIONS: ReadonlySet<string> = new Set(PROVIDERS);

/** Checks `options`. */
export function checkOptions(options: GenerationOptions, report: Report): void {
  const range = (name: string, value: number | undefined, least: number, most: number): void => {
    // Written so that NaN is refused too.
    if (value !== undefined && !(value >= least && value <= most)) {
      report(`options.${name}`, `must be between ${least} and ${most}`);
    }
  };
  range('temperature', options.temperature, 0, 2);
  range('presence_penalty', options.presencePenalty, -2, 2);
  range('frequency_penalty', options.frequencyPenalty, -2, 2);
  if (options.topP !== undefined && !(options.topP > 0 && options.topP <= 1)) {
    report('options.top_p', 'must be above 0 and at most 1');
  }
  if (options.maxTokens !== undefined && options.maxTokens < 1) report('options.max_tokens', 'must be at least 1');
  if (options.stop.length > MAX_STOPS) report('options.stop', `must have at most ${MAX_STOPS} texts`);
  for (const [index, stop] of options.stop.slice(0, MAX_STOPS).entries()) {
    if (stop === '') report(`options.stop[${index}]`, 'must not be empty');
  }
  if (options.reasoningEffort !== undefined && !isKnownEnumValue(ReasoningEffort, options.reasoningEffort)) {
    report('options.reasoning_effort', 'must be one of the efforts');
  }
  const format = options.responseFormat?.format;
  if (format?.case === 'jsonSchema') {
    const path = 'options.response_format.json_schema';
    if (!TOOL_NAME.test(format.value.name)) report(`${path}.name`, TOOL_NAME_RULE);
    const check = answerCheck(format.value.schemaJson);
    if ('problem' in check) report(`${path}.schema_json`, check.problem);
  }
  for (const provider of Object.keys(options.providerOptions)) {
    if (!TAKES_OPTIONS.has(provider)) {
      report(`options.provider_options[${JSON.stringify(provider)}]`, `must be one of ${PROVIDERS.join(', ')}`);
    }
  }
}

/** Checks `routing`, as far as it can be wrong whatever the configuration is. */
export function checkRouting(routing: RoutingOptions, report: Report): void {
  checkName(routing.route, 'routing.route', report);
  checkName(routing.preferredProvider, 'routing.preferred_provider', report);
  for (const [index, target] of routing.targets.entries()) {
    const path = `routing.targets[${index}]`;
    if (target === '') report(path, 'must not be empty');
    checkName(target, path, report);
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

function isPositive(duration: Duration): boolean {
  const { seconds, nanos } = duration;
  return seconds >= 0n && nanos >= 0 && nanos < 1_000_000_000 && (seconds > 0n || nanos > 0);
}
