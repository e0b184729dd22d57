import { isLoopback } from '../file/host-port.ts';
import { hostOf } from '../port/base-url.ts';
import { ConfigError, type ConfigProblem } from '../port/problem.ts';
import type { Environment, TargetConfig } from '../port/resolved.ts';
import { environmentIdentity } from './environment-identity.ts';
import { environmentProxy, hasOnlyHttpProxy } from './environment-proxy.ts';

/** Targets with the proxies that they are called through. */
export interface ProxiedTargets {
  readonly targets: readonly TargetConfig[];
  /** What is easily overlooked, one sentence each. */
  readonly warnings: readonly string[];
}

/** Gives each target the proxy that the environment names for it, and the identity where it has no key. Throws {@link ConfigError}. */
export function proxiedTargets(targets: readonly TargetConfig[], env: Environment): ProxiedTargets {
  const problems = new Map<string, ConfigProblem>();
  const wrong: ConfigProblem[] = [];
  const warnings: string[] = [];
  const direct: string[] = [];
  const proxied = targets.map((given): TargetConfig => {
    if (given.mock) return given;
    const isKeyless = given.provider === 'azure-openai' && given.apiKey === undefined;
    const identity = isKeyless ? environmentIdentity(env, given.baseUrl, wrong) : undefined;
    const target = identity === undefined ? given : { ...given, identity };
    const choice = environmentProxy(env, target.baseUrl);
    if ('problem' in choice) {
      problems.set(choice.problem.path, choice.problem);
      return target;
    }
    const { proxy } = choice;
    if (proxy === undefined) {
      if (target.baseUrl.startsWith('https:')) direct.push(target.name);
      return target;
    }
    const host = URL.parse(target.baseUrl)?.hostname ?? '';
    if (isLoopback({ host })) {
      warnings.push(
        `${target.name} is on this machine and yet called through the proxy ${hostOf(proxy.origin)}; NO_PROXY=${host} keeps it away`,
      );
    }
    return { ...target, proxy };
  });
  for (const problem of wrong) problems.set(problem.path, problem);
  if (problems.size > 0) throw new ConfigError([...problems.values()]);
  if (direct.length > 0 && hasOnlyHttpProxy(env)) {
    warnings.push(`HTTP_PROXY is set and HTTPS_PROXY is not: no proxy is used for ${direct.join(', ')}`);
  }
  return { targets: proxied, warnings };
}

/** Says which targets are called through which proxies, one sentence for each of these. Of a proxy only the host is shown. */
export function describeProxies(targets: readonly TargetConfig[]): readonly string[] {
  const byProxy = Map.groupBy(
    targets.filter(({ proxy }) => proxy !== undefined),
    ({ proxy }) => hostOf(proxy?.origin ?? ''),
  );
  return [...byProxy].map(
    ([host, called]) => `${called.map(({ name }) => name).join(', ')}: through the proxy ${host}`,
  );
}
