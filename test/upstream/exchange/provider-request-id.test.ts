import { expect, it } from 'vitest';

import { providerRequestId } from '../../../src/upstream/exchange/provider-request-id.ts';

it.each(['x-request-id', 'request-id', 'apim-request-id', 'x-ds-trace-id', 'x-deepseek-request-id'])(
  'the header %s names the call, where it is an id',
  (name) => {
    expect(providerRequestId({ [name]: 'req_0fef-1' })).toBe('req_0fef-1');
    expect(providerRequestId({ [name]: 'no id <at all>' })).toBeUndefined();
    expect(providerRequestId({ [name]: 'x'.repeat(129) })).toBeUndefined();
  },
);

it('of several headers the most telling counts, one that is no id not at all', () => {
  const headers = { 'apim-request-id': 'azure-1', 'x-request-id': 'req_1', 'x-ms-region': 'Sweden' };
  expect(providerRequestId(headers)).toBe('req_1');
  expect(providerRequestId({ ...headers, 'x-request-id': '' })).toBe('azure-1');
  expect(providerRequestId({})).toBeUndefined();
});
