import type { JsonObject } from '@bufbuild/protobuf';
import type { Report } from '../port/violations.ts';

/** Fields of the providers' own requests that ask for several answers at once, which are all paid; `n_cmpl` is llama.cpp's name for `n`. */
const ANSWER_COUNTS = ['n', 'n_cmpl', 'best_of'] as const;

/**
 * Reports fields of a provider's own request that ask for more than one answer: nobody would read the others. Servers written in Python
 * take a text for a number, as Python reads one.
 *
 * @param path that of `own`
 */
export function checkOneAnswer(own: JsonObject, path: string, report: Report): void {
  for (const name of ANSWER_COUNTS) {
    const asked = own[name];
    const count = typeof asked === 'string' ? Number(asked.replaceAll('_', '')) : asked;
    if (typeof count === 'number' && count > 1) {
      report(`${path}["${name}"]`, 'must be at most 1: the gateway gives one answer for a call, so make as many calls');
    }
  }
}
