import { z } from 'zod';

import { INSTANT_RULE, parseInstant } from './instant.ts';
import { LIST, MAPPING, oneOf, text, wholeNumber } from './leaves.ts';

const MOST = 1_000_000_000;

const name = () => text(/^[A-Za-z0-9._~-]{1,100}$/, 'must be 1 to 100 letters, digits, or characters of ._~-');

const instant = () =>
  z.string({ error: INSTANT_RULE }).transform((value, context) => {
    const atMs = parseInstant(value);
    if (atMs !== undefined) return atMs;
    context.addIssue({ code: 'custom', message: INSTANT_RULE });
    return z.NEVER;
  });

const sha256 = () =>
  text(
    /^[0-9A-Fa-f]{64}$/,
    'must be the SHA-256 of a key in 64 hexadecimal digits, in quotes where all are digits; `understudy keys create` prints it',
  ).transform((value) => value.toLowerCase());

const keyFields = {
  sha256: sha256().describe('The digest of the key; the key itself is nowhere.'),
  expires: instant().optional().describe('From when on it is not valid, such as 2027-01-31T12:00:00Z. Default: never.'),
  name: text(/^[^\p{C}]{1,100}$/u, 'must be a text of 1 to 100 characters')
    .optional()
    .describe('For people, such as who holds it.'),
};

const apiKeySchema = z.strictObject(keyFields, MAPPING);

/** One entry of the file of keys. */
export const keysFileEntrySchema = z.strictObject(
  { caller: name().describe('Whose key it is: the name of a caller.'), ...keyFields },
  MAPPING,
);

const JWKS_RULE = 'must be the path of a file, or a URL that begins with https:// (http:// for this machine alone)';

const LOOPBACK_URL = /^http:\/\/(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?\//i;

function isPlaceOfKeys(value: string): boolean {
  if (!/^[a-z][\w+.-]*:\/\//i.test(value)) return value !== '';
  const url = URL.parse(value);
  return url !== null && url.username === '' && (url.protocol === 'https:' || LOOPBACK_URL.test(url.href));
}

const nonEmpty = (rule: string) => text(/^[^\p{C}]{1,1000}$/u, rule);

const AUDIENCE_RULE = 'must be a text, or a list of them';

const jwtSchema = z.strictObject(
  {
    issuer: nonEmpty('must be the text of the claim iss').describe('What `iss` must be.'),
    audience: z
      .union([nonEmpty(AUDIENCE_RULE), z.array(nonEmpty(AUDIENCE_RULE)).min(1, { error: AUDIENCE_RULE })], {
        error: AUDIENCE_RULE,
      })
      .describe('What `aud` must be or hold; of several, one.'),
    jwks: z
      .string({ error: JWKS_RULE })
      .refine(isPlaceOfKeys, { error: JWKS_RULE })
      .describe('Public keys of the issuer: the path of a file, which is watched, or a URL.'),
    claim: text(/^[^\p{C}\s]{1,200}$/u, 'must be the name of a claim, such as sub or realm_access.roles')
      .prefault('sub')
      .describe('The claim that says who calls; dots lead into objects.'),
    value: nonEmpty('must be a text')
      .optional()
      .describe('What the claim must be or hold. Default: each value is a caller of its own, named NAME:VALUE.'),
  },
  MAPPING,
);

const mtlsSchema = z.strictObject(
  {
    san: nonEmpty('must be a subject alternative name, such as spiffe://example.org/billing').describe(
      'The subject alternative name, URI or DNS, of its client certificates; the whole of it, without DNS: or URI: before it.',
    ),
  },
  MAPPING,
);

const names = () => z.array(z.string({ error: 'must be a name' }), LIST);

const allowSchema = z.strictObject(
  {
    routes: names().optional().describe('Routes that it may use. Default, and where empty: all.'),
    targets: names().optional().describe('Targets that may answer it. Default, and where empty: all.'),
  },
  MAPPING,
);

const limitsSchema = z.strictObject(
  {
    requests_per_minute: wholeNumber(1, MOST).optional().describe('Default: no limit.'),
    tokens_per_minute: wholeNumber(1, MOST).optional().describe('Of prompts and answers together. Default: no limit.'),
    concurrent_calls: wholeNumber(1, MOST)
      .optional()
      .describe('Calls under way, streams among them. Default: no limit.'),
  },
  MAPPING,
);

const budgetSchema = z.strictObject(
  {
    usd: text(/^\d{1,6}(\.\d{1,9})?$/, 'must be a decimal number in quotes with at most 9 places, such as "20.00"'),
    per: oneOf(['day', 'month']).describe('Of UTC.'),
  },
  MAPPING,
);

const BUDGET_RULE = 'must be a mapping such as { usd: "1.00", per: day }, or a list of them';

const budgetsSchema = z
  .union([budgetSchema, z.array(budgetSchema, { error: BUDGET_RULE })], { error: BUDGET_RULE })
  .describe('What may be spent: one budget, or a list with one for a day and one for a month.');

const shared = {
  limits: limitsSchema.optional().describe('How much at a time.'),
  budget: budgetsSchema.optional(),
};

const allowed = {
  group: name().optional().describe('Its group, whose limits and budget it shares.'),
  allow: allowSchema.optional().describe('What it may use.'),
  ...shared,
};

/** One entry of `callers`. */
export const callerSchema = z.strictObject(
  {
    name: name().describe('Unique; what metrics, the log and the ledger call it.'),
    api_keys: z.array(apiKeySchema, LIST).prefault([]).describe('Made by `understudy keys create`.'),
    jwt: jwtSchema.optional().describe('Which tokens are its own.'),
    mtls: mtlsSchema.optional().describe('Which client certificates are its own; needs server.tls.client_ca.'),
    ...allowed,
  },
  MAPPING,
);

/** One entry of `groups`. */
export const groupSchema = z.strictObject({ name: name().describe('Unique among groups.'), ...shared }, MAPPING);

/** The sections of the file that say who calls. */
export const callerSections = {
  callers: z
    .array(callerSchema, LIST)
    .prefault([])
    .describe('Who may call. Without callers nobody is asked who it is.'),
  groups: z.array(groupSchema, LIST).prefault([]).describe('Callers that share limits and a budget.'),
  caller_defaults: z
    .strictObject(allowed, MAPPING)
    .optional()
    .describe('What callers have whose entry does not say otherwise; field by field.'),
  api_keys_file: text(/^[^\p{C}]+$/u, 'must be the path of a file')
    .optional()
    .describe(
      'Further API keys, a list of { caller, sha256, expires?, name? }; what changes in it holds within a second.',
    ),
};

/** What a caller may, in the file. */
export type FileAllowance = z.output<typeof groupSchema>;

/** A caller that passed the schema. */
export type FileCaller = z.output<typeof callerSchema>;
