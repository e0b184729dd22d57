import { isLoopback } from '../file/host-port.ts';
import type { EntraIdentity } from '../../core/outbound/entra-identity.ts';
import type { ConfigProblem } from '../port/problem.ts';
import { readVariable } from '../port/provider-defaults.ts';
import type { Environment } from '../port/resolved.ts';
import { environmentProxy } from './environment-proxy.ts';

const DEFAULT_AUTHORITY = 'https://login.microsoftonline.com';

/** Whether the environment has all of an identity in Microsoft Entra: a workload's in AKS, or a client with a secret. */
export function hasIdentity(env: Environment): boolean {
  const isSet = (name: string): boolean => readVariable(env, name) !== undefined;
  const hasProof = isSet('AZURE_CLIENT_SECRET') || isSet('AZURE_FEDERATED_TOKEN_FILE');
  return isSet('AZURE_CLIENT_ID') && isSet('AZURE_TENANT_ID') && hasProof;
}

/**
 * Reads the identity in Microsoft Entra by which a resource of Azure OpenAI is called, by the variables of Azure's own SDKs; a secret wins
 * over a token file, as there. Undefined where the environment has none.
 *
 * @param baseUrl of the target: those of Azure Government have tokens of their own
 * @param problems gets what is wrong, with the variable
 */
export function environmentIdentity(
  env: Environment,
  baseUrl: string,
  problems: ConfigProblem[],
): EntraIdentity | undefined {
  if (!hasIdentity(env)) return undefined;
  const of = (name: string): string => readVariable(env, name) ?? '';
  const authority = (readVariable(env, 'AZURE_AUTHORITY_HOST') ?? DEFAULT_AUTHORITY).replace(/\/+$/, '');
  const expect = (name: string, isRight: boolean, message: string): void => {
    if (!isRight) problems.push({ path: name, message });
  };
  expect(
    'AZURE_AUTHORITY_HOST',
    isAuthority(authority),
    'must be a URL such as https://login.microsoftonline.com; plain http:// is for this machine alone',
  );
  expect('AZURE_TENANT_ID', /^[\w.-]{1,128}$/.test(of('AZURE_TENANT_ID')), 'must be the id or the domain of a tenant');
  expect('AZURE_CLIENT_ID', /^[\w-]{1,128}$/.test(of('AZURE_CLIENT_ID')), 'must be the id of an application');
  const tokenUrl = `${authority}/${of('AZURE_TENANT_ID')}/oauth2/v2.0/token`;
  const choice = environmentProxy(env, tokenUrl);
  if ('problem' in choice) problems.push(choice.problem);
  const secret = readVariable(env, 'AZURE_CLIENT_SECRET');
  const isGovernment = URL.parse(baseUrl)?.hostname.endsWith('.azure.us') === true;
  return {
    tokenUrl,
    clientId: of('AZURE_CLIENT_ID'),
    scope: `https://cognitiveservices.azure.${isGovernment ? 'us' : 'com'}/.default`,
    proof: secret === undefined ? { tokenFile: of('AZURE_FEDERATED_TOKEN_FILE') } : { secret },
    proxy: 'proxy' in choice ? choice.proxy : undefined,
  };
}

/** What is sent there is a secret, or as good as one. */
function isAuthority(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') return false;
  const isHere = url.protocol === 'http:' && isLoopback({ host: url.hostname });
  return url.protocol === 'https:' || isHere;
}
