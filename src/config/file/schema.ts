import { z } from 'zod';

import { admissionSchema } from './admission-schema.ts';
import { ledgerSchema } from './ledger-schema.ts';
import { callerSections } from './callers-schema.ts';
import { PROVIDERS } from '../../core/provider.ts';
import { parseAddress } from '../../core/address.ts';
import { ADDRESS_RULE } from './host-port.ts';
import { duration, durationOfSeconds, flag, LIST, MAPPING, oneOf, text, wholeNumber } from './leaves.ts';
import { connectionsSchema, drainSchema } from './lifetimes.ts';
import { limitStoreSchema } from './limit-store-schema.ts';
import { logSchema } from '../logging/log-schema.ts';
import { apiKeySchema, azureUrlSchema, modelSchema } from './target-leaves.ts';
import { tlsSections } from './tls-schema.ts';

const name = () => text(/^[A-Za-z0-9._~-]{1,100}$/, 'must be 1 to 100 letters, digits, or characters of ._~-');

const price = () =>
  text(/^\d{1,6}(\.\d{1,9})?$/, 'must be a decimal number in quotes with at most 9 places, such as "2.50"');

const address = () =>
  z.string({ error: ADDRESS_RULE }).transform((value, context) => {
    const parsed = parseAddress(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: ADDRESS_RULE });
    return z.NEVER;
  });

const ORIGIN_RULE = 'must be * or an origin such as https://app.example.com';

const origin = () =>
  z.string({ error: ORIGIN_RULE }).refine((value) => value === '*' || URL.parse(value)?.origin === value, {
    error: ORIGIN_RULE,
  });

const priceSchema = z.strictObject(
  {
    model: modelSchema,
    input: price(),
    cached_input: price().optional().describe('Default: as input, and the cost is an estimate.'),
    cache_write: price().optional().describe('Default: as input, and the cost is an estimate.'),
    output: price(),
  },
  MAPPING,
);

const timeoutsSchema = z.strictObject(
  {
    connect: duration().optional().describe('Until the connection stands, TLS included.'),
    first_output: duration().optional().describe('Until the first meaningful output.'),
    progress: duration().optional().describe('Between two outputs.'),
  },
  MAPPING,
);

/** One entry of `targets`. */
export const targetSchema = z.strictObject(
  {
    name: name().describe('Unique; what `routing.targets` and the `target` of a response say.'),
    provider: oneOf(PROVIDERS).describe('The kind of upstream.'),
    // That the version is Azure's alone is a rule between fields.
    base_url: azureUrlSchema
      .optional()
      .describe("Default: the provider's own. Required for azure-openai, which may have ?api-version= at its end."),
    api_key: apiKeySchema.optional().describe('A secret; best as ${NAME} of the environment or ${file:/path}.'),
    model: modelSchema.optional().describe('The default model; for Azure the deployment.'),
    api: oneOf(['responses', 'chat_completions'])
      .optional()
      .describe(
        "For openai and azure-openai. Default: responses on the provider's own hosts, otherwise and on Azure's dated endpoints chat_completions.",
      ),
    models: z.array(modelSchema, LIST).prefault([]).describe('Further models of this target.'),
    prices: z.array(priceSchema, LIST).prefault([]).describe('USD per million tokens.'),
    limit_group: name()
      .optional()
      .describe("Targets of one account share cooldowns and suspensions. Default: the target's name."),
    timeouts: timeoutsSchema.prefault({}).describe("Each overrides the engine's rule."),
    upstream_mode: oneOf(['AUTO', 'STREAM', 'JSON'])
      .optional()
      .describe(
        'Whether it is asked for streams or for whole answers. Default: AUTO, whole only where they are short.',
      ),
    mock: flag()
      .optional()
      .describe("Whether the mock upstream answers in this provider's wire format, without network."),
  },
  MAPPING,
);

/** One entry of `routes`. */
export const routeSchema = z.strictObject(
  {
    name: name().describe('Unique; `default` is used when the caller names none.'),
    targets: z
      .array(z.string({ error: 'must be target or target/model' }), LIST)
      .min(1, { error: 'must not be empty' })
      .describe('In order; each entry is `target` or `target/model`.'),
  },
  MAPPING,
);

const circuitBreakerSchema = z.strictObject(
  {
    failures: wholeNumber(1, 1_000).prefault(5).describe('Failures within the window that open the circuit.'),
    window: duration().prefault('60s'),
    cooldown: duration().prefault('30s').describe('How long an open circuit refuses before it lets a probe through.'),
    probes: wholeNumber(1, 10)
      .prefault(1)
      .describe('Probes that a half-open circuit lets through at a time; so many successes close it.'),
    guard: oneOf(['on', 'off']).prefault('on').describe('Whether a few failures among many successes leave it closed.'),
  },
  MAPPING,
);

const retrySchema = z.strictObject(
  {
    order: oneOf(['SAME_THEN_NEXT', 'NEXT_FIRST', 'EXHAUST_FIRST']).prefault('SAME_THEN_NEXT'),
    max_repeats: wholeNumber(0, 100).prefault(4).describe('Repeats per request; per target with EXHAUST_FIRST.'),
    backoff: z
      .array(duration(), LIST)
      .min(1, { error: 'must not be empty' })
      .max(20, { error: 'must have at most 20 entries' })
      .prefault(['1s', '2s', '4s', '8s'])
      .describe('Ceilings of the waits; the last one repeats.'),
    jitter: oneOf(['FULL', 'NONE']).prefault('FULL'),
  },
  MAPPING,
);

const MIB = 1024 * 1024;

const LEAST_BYTES = 256 * 1024;
const BYTES_RULE = `must be auto, or a whole number from ${LEAST_BYTES}`;

const limitsSchema = z.strictObject(
  {
    max_message_bytes: wholeNumber(64 * 1024, 64 * MIB)
      .prefault(20 * MIB)
      .describe('Largest request or answer, attachments included.'),
    max_bytes_in_flight: z
      .union([z.literal('auto'), z.int({ error: BYTES_RULE }).min(LEAST_BYTES, { error: BYTES_RULE })], {
        error: BYTES_RULE,
      })
      .prefault('auto')
      .describe('Most bytes of requests and unread answers together. auto: what fits the memory, 256 MiB at most.'),
    transfer_timeout: durationOfSeconds()
      .prefault('60s')
      .describe('How long a request may take to arrive, and an answer to be read; at least 1s.'),
  },
  MAPPING,
);

const HOST_RULE = 'must be a host name or an IP address, without port, such as gateway.internal';

const httpSchema = z.strictObject(
  {
    idle_timeout: duration()
      .prefault('620s')
      .describe('How long idle connections are kept: longer than whatever stands in front keeps its own.'),
    allowed_hosts: z
      .array(text(/^([A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|(?=.*:.*:)[0-9A-Fa-f:.]{2,45})$/, HOST_RULE), LIST)
      .prefault([])
      .describe('Names by which the web and admin addresses may be called, besides those of loopback.'),
  },
  MAPPING,
);

/** The section `server`. */
export const serverSchema = z.strictObject(
  {
    grpc_address: address().prefault('127.0.0.1:50051'),
    http_address: address().prefault('127.0.0.1:8080'),
    admin_address: address().prefault('127.0.0.1:9464'),
    ...tlsSections,
    reflection: flag().prefault(true).describe('Whether the gRPC door describes its services.'),
    admin_service: flag()
      .prefault(false)
      .describe('Whether operators may force circuits and reset targets at the admin address.'),
    cors_origins: z.array(origin(), LIST).prefault([]).describe('Origins of browsers that may call the web door.'),
    http: httpSchema.prefault({}).describe('The web door and the admin listener.'),
    allow_unauthenticated: flag()
      .prefault(false)
      .describe('Allows addresses other than loopback: something else guards them.'),
    authenticate_health: flag()
      .prefault(false)
      .describe(
        'Whether callers must say who they are for Health, grpc.health.v1, load reports and reflection as well.',
      ),
    limits: limitsSchema.prefault({}).describe('What messages may take.'),
    drain: drainSchema.prefault({}).describe('What happens at SIGTERM.'),
    connections: connectionsSchema.prefault({}).describe('How long connections of the gRPC door live.'),
  },
  MAPPING,
);

/** The config file. Every field has a default. */
export const fileSchema = z.strictObject(
  {
    targets: z
      .array(targetSchema, LIST)
      .min(1, { error: 'must not be empty; leave it out to have providers found in the environment' })
      .optional()
      .describe('Replaces the detection of providers in the environment.'),
    routes: z
      .array(routeSchema, LIST)
      .prefault([])
      .describe('Without a route `default`, that one is all targets in order.'),
    circuit_breaker: circuitBreakerSchema.prefault({}),
    retry: retrySchema.prefault({}),
    admission: admissionSchema.prefault({}).describe('How much is done at a time.'),
    server: serverSchema.prefault({}).describe('Addresses in the environment win.'),
    ledger: ledgerSchema.optional().describe('Where usage is kept. Default: nowhere, with --demo in usage.db.'),
    prices_file: text(/./, 'must be the path of a file')
      .optional()
      .describe('Prices in place of the built-in ones, and beside them.'),
    ...callerSections,
    log: logSchema.prefault({}).describe('What of the log is written.'),
    limits: limitStoreSchema.optional().describe('Where callers are counted. Default: in memory.'),
  },
  MAPPING,
);

/** A config as a person writes it, in a file or as an object. */
export type ConfigInput = z.input<typeof fileSchema>;

/** A config file that passed the schema. */
export type FileConfig = z.output<typeof fileSchema>;

/** A target that passed the schema. */
export type FileTarget = z.output<typeof targetSchema>;

/** The section `server` after it passed the schema. */
export type FileServer = z.output<typeof serverSchema>;
