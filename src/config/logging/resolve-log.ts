import { LOG_LEVELS, type LogConfig } from '../port/log-config.ts';
import { brokenRule, type ConfigProblem } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';
import type { Environment } from '../port/resolved.ts';
import { type FileLog, LEVEL_RULE } from './log-schema.ts';

const VARIABLE = 'UNDERSTUDY_LOG_LEVEL';
const SHARES = { all: 1, none: 0 } as const;

/** Decides what of the log is written: the level of the environment wins. Throws nothing; adds a problem for a level that is none. */
export function resolveLog(section: FileLog, env: Environment, problems: ConfigProblem[]): LogConfig {
  const { good_calls: asked } = section;
  const wanted = readVariable(env, VARIABLE);
  const level = wanted === undefined ? section.level : LOG_LEVELS.find((one) => one === wanted.toLowerCase());
  if (level === undefined) problems.push({ path: VARIABLE, message: brokenRule(LEVEL_RULE, wanted) });
  return { level: level ?? section.level, goodShare: typeof asked === 'number' ? asked : SHARES[asked] };
}
