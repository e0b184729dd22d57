import { PROVIDERS } from '../../core/provider.ts';
import type { Environment } from '../port/resolved.ts';
import { formatPath, valueAt, type ConfigProblem } from '../port/problem.ts';
import { withoutQuotes } from '../port/quotes.ts';
import { deploymentDoubt } from './azure-url.ts';
import { mendBaseUrl } from './mend-base-url.ts';
import type { SecretFiles } from './secret-files.ts';
import { substituteVariables } from './substitute.ts';

/** A config as it was meant. */
export interface PreparedTree {
  readonly tree: unknown;
  /** What cannot be meant, or could not be put in. */
  readonly problems: readonly ConfigProblem[];
  /** What was put right, one sentence each. */
  readonly notes: readonly string[];
}

/** Deeper than any field of a target. */
const DEEPEST = 4;

/**
 * Puts variables and secrets into a config, and puts right what of its targets is certain to be meant otherwise: blanks and
 * quotes around texts, and base URLs that are the address of an API.
 */
export function prepareTree(raw: unknown, env: Environment, files: SecretFiles): PreparedTree {
  const { value, problems: unset } = substituteVariables(raw, env, files);
  const problems: ConfigProblem[] = [...unset];
  const notes: string[] = [];
  const targets = valueAt(value, ['targets']);
  if (!isMapping(value) || !Array.isArray(targets)) return { tree: value, problems, notes };
  const mended = targets.map((target, index) => mendTarget(bare(target), index));
  return { tree: { ...value, targets: mended }, problems, notes };

  function mendTarget(target: unknown, index: number): unknown {
    const provider = PROVIDERS.find((name) => name === valueAt(target, ['provider']));
    const url = valueAt(target, ['base_url']);
    if (!isMapping(target) || provider === undefined || typeof url !== 'string') return target;
    const path = formatPath(['targets', index, 'base_url']);
    const mended = mendBaseUrl(provider, url);
    if ('wrong' in mended) {
      problems.push({ path, message: mended.wrong });
      return target;
    }
    if (mended.note !== undefined) notes.push(`${path} ${mended.note}`);
    const { baseUrl, api, deployment } = mended;
    const model = valueAt(target, ['model']);
    const doubt = deploymentDoubt(deployment, model);
    if (doubt !== undefined) notes.push(`${path} ${doubt}`);
    const takesApi = provider === 'openai' || provider === 'azure-openai';
    return {
      ...(takesApi && api !== undefined && { api }),
      ...(deployment !== undefined && { model: deployment }),
      ...target,
      base_url: baseUrl,
    };
  }
}

/** Takes blanks and quotes off every text of a value. */
function bare(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutQuotes(value);
  if (depth > DEEPEST || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => bare(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, bare(item, depth + 1)]));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
