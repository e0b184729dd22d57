import { describe, expect, it } from 'vitest';
import { CLASS_RULES } from '../../../../src/core/failure.ts';
import { PROVIDERS } from '../../../../src/core/provider.ts';
import { adapterFor } from '../../../../src/providers/registry.ts';

const CLASSES = {
  bad_request: [400, 405, 413, 422],
  auth: [401, 403],
  quota: [402],
  not_found: [404],
  overload: [408, 500, 501, 502, 503, 504, 507, 520, 521, 522, 524, 529, 599],
  conflict: [409, 425],
  rate_limit: [429],
  protocol: [
    300, 302, 307, 406, 407, 410, 411, 412, 414, 415, 416, 417, 418, 421, 423, 424, 426, 428, 431, 451, 499, 600,
  ],
} as const;

describe.each(PROVIDERS)('an error status of %s without a body', (provider) => {
  it.each(Object.entries(CLASSES))('is of class %s where the class table says so', (failureClass, statuses) => {
    for (const status of statuses) {
      const { failure } = adapterFor(provider, 'responses');
      const found = failure({ status, headers: {}, body: '', wallMs: 0 });
      expect([status, found.class, found.httpStatus]).toEqual([status, failureClass, status]);
    }
  });
});

describe('an odd status', () => {
  it('does not end the chain', () => {
    const { failure } = adapterFor('ollama', 'responses');
    const canceled = failure({ status: 499, headers: {}, body: '{"error":"request canceled"}', wallMs: 0 });
    expect(CLASS_RULES[canceled.class].nextTarget).toBe('yes');
  });
});
