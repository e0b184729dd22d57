import { expect, test } from 'vitest';

import { environmentIdentity } from '../../../src/config/outbound/environment-identity.ts';
import type { ConfigProblem } from '../../../src/config/port/problem.ts';

function problemsWith(authority: string): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const env = { AZURE_CLIENT_ID: 'id', AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_SECRET: 'secret' };
  environmentIdentity({ ...env, AZURE_AUTHORITY_HOST: authority }, 'https://a.openai.azure.com', problems);
  return problems;
}

test('secrets go to an authority by TLS, and without it to this machine alone', () => {
  for (const right of ['https://login.microsoftonline.us/', 'http://127.0.0.1:8080', 'http://[::1]:8080']) {
    expect(problemsWith(right)).toEqual([]);
  }
  for (const wrong of [
    'http://login.example.com',
    'login.microsoftonline.com',
    'https://user:password@example.com',
    'ftp://a',
  ]) {
    expect(problemsWith(wrong)).toMatchObject([{ path: 'AZURE_AUTHORITY_HOST' }]);
    expect(JSON.stringify(problemsWith(wrong))).not.toContain('password');
  }
});
