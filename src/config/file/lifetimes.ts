import { z } from 'zod';

import { duration, durationOrNone, MAPPING } from './leaves.ts';

/** `server.drain`: what happens at SIGTERM. */
export const drainSchema = z.strictObject(
  {
    pause: durationOrNone()
      .prefault('2s')
      .describe('How long calls are still taken once health says that none are wanted, for balancers to notice.'),
    grace: duration().prefault('25s').describe('How long calls may go on after the signal, the pause included.'),
  },
  MAPPING,
);

const keepaliveSchema = z.strictObject(
  {
    interval: duration().prefault('60s').describe('How often a ping asks whether the client is there.'),
    timeout: duration().prefault('20s').describe('How long the client may take to answer it.'),
  },
  MAPPING,
);

/** `server.connections`: how long connections of the gRPC door live (gRFC A9). */
export const connectionsSchema = z.strictObject(
  {
    max_age: duration().prefault('30m').describe('After how long a connection is sent away, give or take a tenth.'),
    max_age_grace: duration().prefault('1h').describe('How long its calls may go on after that.'),
    idle_timeout: duration().prefault('620s').describe('After how long without a call it is sent away.'),
    keepalive: keepaliveSchema.prefault({}),
  },
  MAPPING,
);
