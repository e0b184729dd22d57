import { expect, test } from 'vitest';

import { isExempt } from '../../../src/config/outbound/no-proxy.ts';

test.each([
  ['*', 'https://api.openai.com/v1'],
  ['a.test, *', 'https://api.openai.com/v1'],
  ['openai.com', 'https://api.openai.com/v1'],
  ['.openai.com', 'https://api.openai.com/v1'],
  ['.openai.com', 'https://openai.com/v1'],
  ['*.openai.com', 'https://api.openai.com/v1'],
  ['OpenAI.com.', 'https://API.openai.com./v1'],
  ['a.test b.test,api.openai.com', 'https://api.openai.com/v1'],
  ['api.openai.com:443', 'https://api.openai.com/v1'],
  ['localhost', 'http://localhost:11434'],
  ['127.0.0.1', 'http://127.0.0.1:11434'],
  ['127.0.0.1:11434', 'http://127.0.0.1:11434'],
  ['10.0.0.0/8', 'http://10.1.2.3/v1'],
  ['::1', 'http://[::1]:11434'],
  ['[::1]', 'http://[::1]:11434'],
  ['[::1]:11434', 'http://[::1]:11434'],
  ['0:0:0:0:0:0:0:1', 'http://[::1]:11434'],
  ['fd00::/8', 'http://[fd00::7]/v1'],
])('NO_PROXY=%s covers %s', (noProxy, url) => {
  expect(isExempt(noProxy, new URL(url))).toBe(true);
});

test.each([
  ['', 'http://localhost:11434'],
  ['', 'http://127.0.0.1:11434'],
  ['enai.com', 'https://api.openai.com/v1'],
  ['api.openai.com.evil.test', 'https://api.openai.com/v1'],
  ['api.openai.com:8443', 'https://api.openai.com/v1'],
  ['10.0.0.0/8', 'http://11.1.2.3/v1'],
  ['10.0.0.0/99', 'http://10.1.2.3/v1'],
  ['10.0.0.0/8', 'http://10.1.2.3.test/v1'],
  ['10', 'http://10.1.2.3/v1'],
  ['0.0.1', 'http://127.0.0.1:11434'],
  ['::/0', 'http://127.0.0.1'],
  ['.', 'https://api.openai.com/v1'],
  ['[', 'https://api.openai.com/v1'],
])('NO_PROXY=%s does not cover %s', (noProxy, url) => {
  expect(isExempt(noProxy, new URL(url))).toBe(false);
});
