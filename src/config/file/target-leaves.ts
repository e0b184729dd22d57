import { z } from 'zod';

import { MODEL_NAME } from '../../core/model-id.ts';
import { baseUrlProblem, withoutApiVersion } from '../port/base-url.ts';
import { isKey } from '../port/hidden-keys.ts';
import { hasStrayQuote } from '../port/quotes.ts';
import { text } from './leaves.ts';

function baseUrl(problemOf: (value: string) => string | undefined) {
  return z.string({ error: 'must be a text' }).superRefine((value, context) => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** A base URL of a provider, and of Azure OpenAI with the version of a dated endpoint. */
export const azureUrlSchema = baseUrl((value) => baseUrlProblem(withoutApiVersion(value)));

/** A base URL of a provider. */
export const baseUrlSchema = baseUrl(baseUrlProblem);

const STRAY_QUOTE = 'must not begin or end with a quote';

/** A secret that goes into a header. */
export const apiKeySchema = text(
  /^[\x21-\x7e]+$/,
  'must be a text of printable ASCII characters without spaces',
).refine((value) => !hasStrayQuote(value), { error: STRAY_QUOTE });

/** The provider's name of a model. */
export const modelSchema = text(MODEL_NAME, 'must be the name of a model: 1 to 256 characters without spaces')
  .refine((value) => !isKey(value), { error: 'must be the name of a model and no key' })
  .refine((value) => !hasStrayQuote(value), { error: STRAY_QUOTE });
