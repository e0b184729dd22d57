import { callerSchema, groupSchema, type FileCaller } from './file/callers-schema.ts';
import { formatPath, problemAt, valueAt, type ConfigProblem } from './port/problem.ts';

/** What the rules between the fields of callers are checked on. */
export interface CallerCheck {
  /** The config with its variables put in; it need not have passed the schema. */
  readonly tree: unknown;
  /** The config as it was written. */
  readonly raw: unknown;
  readonly routes: readonly string[];
  readonly targets: readonly string[];
}

/**
 * Checks of the sections about callers what the schema cannot: names, references, and that no credentials are two callers'. Entries
 * that fail the schema are left out.
 */
export function callerProblems(check: CallerCheck): ConfigProblem[] {
  const { tree } = check;
  const callers = listOf(tree, 'callers');
  const groups = listOf(tree, 'groups');
  const problems: ConfigProblem[] = [];
  claim(callers, 'callers', ['name'], 'the name is taken by', problems);
  claim(groups, 'groups', ['name'], 'the name is taken by', problems);
  const groupNames = groups.map((group) => valueAt(group, ['name'])).filter((name) => typeof name === 'string');
  groups.forEach((group, index) => {
    const parsed = groupSchema.safeParse(group);
    if (parsed.success) problems.push(...budgetProblems(parsed.data.budget, ['groups', index]));
  });
  const defaults = valueAt(tree, ['caller_defaults']);
  if (defaults !== undefined) {
    const parsed = callerSchema.safeParse(defaults && { ...defaults, name: 'defaults' });
    if (parsed.success) problems.push(...referenceProblems(parsed.data, ['caller_defaults'], groupNames, check));
  }
  if (callers.length === 0) {
    for (const field of ['groups', 'caller_defaults', 'api_keys_file']) {
      const isUsed = valueAt(tree, [field]) !== undefined && (field !== 'groups' || groups.length > 0);
      if (isUsed) problems.push({ path: field, message: 'needs callers, and none is named' });
    }
  }
  const shown = new Map<string, string>();
  callers.forEach((caller, index) => {
    const parsed = callerSchema.safeParse(caller);
    if (!parsed.success) return;
    problems.push(
      ...referenceProblems(parsed.data, ['callers', index], groupNames, check),
      ...credentialProblems(parsed.data, index, tree, shown),
    );
  });
  return problems;
}

function listOf(tree: unknown, field: string): readonly unknown[] {
  const value = valueAt(tree, [field]);
  return Array.isArray(value) ? value : [];
}

function claim(
  items: readonly unknown[],
  field: string,
  at: readonly string[],
  taken: string,
  problems: ConfigProblem[],
): void {
  const owners = new Map<unknown, string>();
  items.forEach((item, index) => {
    const value = valueAt(item, at);
    if (typeof value !== 'string') return;
    const owner = owners.get(value);
    if (owner === undefined) owners.set(value, formatPath([field, index]));
    else problems.push({ path: formatPath([field, index, ...at]), message: `${taken} ${owner}` });
  });
}

function referenceProblems(
  { group, allow, budget }: Pick<FileCaller, 'group' | 'allow' | 'budget'>,
  path: readonly PropertyKey[],
  groups: readonly string[],
  { raw, routes, targets }: CallerCheck,
): ConfigProblem[] {
  const unknown = (at: readonly PropertyKey[], value: string, known: readonly string[], what: string) => {
    if (known.includes(value)) return [];
    const there = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`;
    return [problemAt(raw, [...path, ...at], `must be the name of a ${what} (${there})`)];
  };
  return [
    ...(group === undefined ? [] : unknown(['group'], group, groups, 'group')),
    ...(allow?.routes ?? []).flatMap((name, at) => unknown(['allow', 'routes', at], name, routes, 'route')),
    ...(allow?.targets ?? []).flatMap((name, at) => unknown(['allow', 'targets', at], name, targets, 'target')),
    ...budgetProblems(budget, path),
  ];
}

function budgetProblems(budget: FileCaller['budget'], path: readonly PropertyKey[]): ConfigProblem[] {
  if (!Array.isArray(budget)) return [];
  return budget.flatMap(({ per }, at) =>
    budget.findIndex((other) => other.per === per) < at
      ? [{ path: formatPath([...path, 'budget', at, 'per']), message: `there is a budget per ${per} already` }]
      : [],
  );
}

/** @param shown which credentials are whose */
function credentialProblems(
  { name, api_keys: keys, jwt, mtls }: FileCaller,
  index: number,
  tree: unknown,
  shown: Map<string, string>,
): ConfigProblem[] {
  const path = ['callers', index];
  const problems: ConfigProblem[] = [];
  const own = (credential: string, at: readonly PropertyKey[], what: string): void => {
    const owner = shown.get(credential);
    const place = formatPath([...path, ...at]);
    if (owner === undefined) shown.set(credential, place);
    else problems.push({ path: place, message: `${what} stands at ${owner} already` });
  };
  keys.forEach(({ sha256 }, at) => own(`key ${sha256}`, ['api_keys', at, 'sha256'], 'this key'));
  if (jwt !== undefined) {
    const { issuer, audience, claim: claimName, value } = jwt;
    for (const one of new Set([audience].flat())) {
      own(JSON.stringify(['jwt', issuer, one, claimName, value]), ['jwt'], 'what has the same tokens');
    }
  }
  if (mtls !== undefined) {
    own(`san ${mtls.san}`, ['mtls', 'san'], 'this name');
    if (valueAt(tree, ['server', 'tls', 'client_ca']) === undefined) {
      problems.push({ path: formatPath([...path, 'mtls']), message: 'needs server.tls.client_ca' });
    }
  }
  const hasNone = keys.length === 0 && jwt === undefined && mtls === undefined;
  if (hasNone && valueAt(tree, ['api_keys_file']) === undefined) {
    const message = `nobody can be ${name}: set api_keys, jwt or mtls, or have keys in api_keys_file`;
    problems.push({ path: formatPath(path), message });
  }
  return problems;
}
