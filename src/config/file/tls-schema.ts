import { z } from 'zod';

import { MAPPING, oneOf, text } from './leaves.ts';

const path = () => text(/^[^\0]{1,4096}$/, 'must be the path of a PEM file');

const VERSION_RULE = 'must be "1.2" or "1.3"';

/** A section of TLS: `server.tls`. */
const tlsSchema = z.strictObject(
  {
    cert: path().describe('The certificate, and the chain behind it, in PEM. Relative to the folder of this file.'),
    key: path().describe('Its private key in PEM, without a passphrase.'),
    client_ca: path().optional().describe('Authorities of clients in PEM. With it clients must show a certificate.'),
    client_auth: oneOf(['required', 'optional'])
      .optional()
      .describe('optional: clients may come without a certificate, but not with one that client_ca has not signed.'),
    // YAML reads 1.2 without quotes as a number.
    min_version: z
      .union([z.enum(['1.2', '1.3']), z.literal([1.2, 1.3])], { error: VERSION_RULE })
      .prefault('1.2')
      .describe('The least version of TLS.'),
  },
  MAPPING,
);

/** What `server` says of TLS. */
export const tlsSections = {
  tls: tlsSchema
    .optional()
    .describe('TLS of both doors and the admin listener; the files are read again when they change.'),
  admin_tls: z
    .union([z.literal('off'), tlsSchema], { error: 'must be a mapping, as server.tls is, or off' })
    .optional()
    .describe('TLS of the admin listener. Default: that of server.tls.'),
};

/** A section of TLS that passed the schema. */
export type FileTls = z.output<typeof tlsSchema>;
