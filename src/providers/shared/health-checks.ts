import type { ProviderName } from '../../core/provider.ts';
import type { HealthCheck } from '../port/adapter.ts';
import { asRecord, parseJson } from './json/value.ts';

/** A list of models proves key and reach, not credit: it is free, and so nobody refuses it for want of money. */
function modelList(path: string): HealthCheck {
  return { path, tells: ['PROVIDER_AUTH_FAILED'], read: (status, body) => readAnswer(status, body, () => 'usable') };
}

/** `GET /user/balance` tells whether the account has money left, too. Source: https://api-docs.deepseek.com/api/get-user-balance */
const DEEPSEEK_BALANCE: HealthCheck = {
  path: '/user/balance',
  tells: ['PROVIDER_AUTH_FAILED', 'PROVIDER_QUOTA_EXHAUSTED'],
  read: (status, body) =>
    readAnswer(status, body, ({ is_available: isAvailable }) => {
      if (typeof isAvailable !== 'boolean') return 'unknown';
      return isAvailable ? 'usable' : 'unusable';
    }),
};

/** Most providers speak OpenAI's API, or another one with such a list; these do not. */
const OWN: Partial<Record<ProviderName, HealthCheck>> = {
  anthropic: modelList('/v1/models?limit=1'),
  deepseek: DEEPSEEK_BALANCE,
  ollama: modelList('/api/tags'),
};

const USUAL = modelList('/models');

/** Returns the free call of a provider, for adapters that name none themselves. */
export function healthCheckOf(provider: ProviderName): HealthCheck {
  return OWN[provider] ?? USUAL;
}

/** A refused key is unusable; an answer that is no JSON object is that of somebody else, such as a proxy. */
function readAnswer(
  status: number,
  body: string,
  read: (answer: Readonly<Record<string, unknown>>) => ReturnType<HealthCheck['read']>,
): ReturnType<HealthCheck['read']> {
  if (status === 401 || status === 402 || status === 403) return 'unusable';
  const answer = status === 200 ? asRecord(parseJson(body)) : undefined;
  return answer === undefined ? 'unknown' : read(answer);
}
