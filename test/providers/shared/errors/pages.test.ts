import { describe, expect, it } from 'vitest';
import { CLASS_RULES } from '../../../../src/core/failure.ts';
import { DIALECTS, refused } from '../../../support/error-envelopes.ts';

const PAGES = [
  '<html><head><title>Oops</title></head><body><center><h1>Oops</h1></center></body></html>',
  '<!DOCTYPE html>\n<html lang="en">your input was flagged, insufficient balance, retry in 9 s</html>',
  '\n  <?xml version="1.0"?><Error><Code>x</Code></Error>',
];
const TYPES = [{}, { 'content-type': 'text/html; charset=utf-8' }, { 'content-type': 'application/json' }];

describe.each(DIALECTS)('a page of a proxy in place of an answer of %s', (_, adapter) => {
  it.each([
    [401, 'auth'],
    // What a wall forbids may be this prompt alone: nobody else is kept from the target for it.
    [403, 'protocol'],
    [404, 'not_found'],
    [408, 'overload'],
    // Its limit of bytes says nothing of other servers.
    [413, 'capability'],
    [429, 'rate_limit'],
    [500, 'overload'],
    [502, 'overload'],
    [503, 'overload'],
    [504, 'overload'],
    [400, 'bad_request'],
    [405, 'bad_request'],
  ] as const)('of status %i is of class %s, whatever it says', (status, failureClass) => {
    for (const page of PAGES) {
      for (const headers of TYPES) {
        const { class: found, retryAfterMs } = refused(adapter, status, page, headers);
        expect([found, retryAfterMs]).toEqual([failureClass, undefined]);
      }
    }
  });

  it('of status 404 says that the address may be wrong, and an answer of the API that the model is missing', () => {
    for (const page of PAGES) expect(refused(adapter, 404, page).message).toContain('base_url');
    expect(refused(adapter, 404, '{"error":{"message":"no such model"}}').message).toContain('the model');
  });

  it('lets the next target be asked, or leaves open that another may take the request', () => {
    for (let status = 400; status <= 599; status += 1) {
      const failure = refused(adapter, status, PAGES[0] ?? '');
      expect(CLASS_RULES[failure.class].nextTarget !== 'no' || failure.unrecognised === true).toBe(true);
    }
  });
});

describe('a text of a proxy', () => {
  it('counts like a page where it says that a request is too large', () => {
    for (const [, adapter] of DIALECTS) {
      expect(refused(adapter, 413, 'Payload Too Large')).toMatchObject({ class: 'capability', field: 'messages' });
      const body = JSON.stringify({ message: 'request entity too large' });
      expect(refused(adapter, 413, body)).toMatchObject({ class: 'capability', field: 'messages' });
    }
  });
});
