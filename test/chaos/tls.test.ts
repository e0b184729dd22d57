import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { Authority } from '../support/certificates.ts';
import { createAuthority, hasOpenssl } from '../support/certificates.ts';
import { ANSWERED, BEGINNING, BEGUN, healthOf, OTHER, WHOLE } from '../support/chaos-stage.ts';
import type { ChaosIdentity, ChaosUpstream } from '../support/chaos-upstream.ts';
import { startChaosUpstream } from '../support/chaos-upstream.ts';
import { chaosUpstream, chatTarget, gatewayFor } from '../support/failover-stage.ts';
import type { RunningGateway } from '../support/gateway-doors.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import { askIn, WAYS } from '../support/ways.ts';
import { REAL_TIME } from '../support/real-time.ts';

const NAME = 'localhost';

async function secureLead(identity: ChaosIdentity): Promise<ChaosUpstream> {
  const lead = await startChaosUpstream(identity);
  onTestFinished(() => lead.close());
  return lead;
}

/** A gateway before a lead at such an origin and a healthy second target. */
async function gatewayBefore(origin: string, connect = '5s'): Promise<RunningGateway> {
  const second = await chaosUpstream();
  second.script(...goodAnswer(true, OTHER));
  const lead = chatTarget('lead', origin, { timeouts: { connect, first_output: '5s' } });
  return gatewayFor({ targets: [lead, chatTarget('second', second.origin, { model: 'model-2' })] });
}

function named({ origin }: ChaosUpstream): string {
  return origin.replace('127.0.0.1', NAME);
}

describe.each(WAYS)('%s, a lead whose name', (way) => {
  test('nobody knows cannot be reached', async () => {
    const gateway = await gatewayBefore('http://nobody.invalid');
    const { trail, delivered, attempts } = await askIn(gateway, way);
    expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'RETRY lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
    expect([delivered, attempts[0]?.cost?.nanoUsd]).toEqual([OTHER, 0n]);
  });

  test('has several addresses is reached at the one that answers', async () => {
    const lead = await chaosUpstream();
    lead.script(...ANSWERED);
    const gateway = await gatewayBefore(named(lead));
    const { trail, delivered } = await askIn(gateway, way);
    expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
  });
});

test('a lead that says nothing to a handshake cannot be reached', REAL_TIME, async () => {
  const mute = await chaosUpstream();
  const gateway = await gatewayBefore(mute.origin.replace('http:', 'https:'), '300ms');
  const { trail, delivered, attempts } = await askIn(gateway, 'Chat');
  expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'RETRY lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
  expect([delivered, attempts[0]?.cost?.nanoUsd]).toEqual([OTHER, 0n]);
  await mute.allClosed();
});

// Without the openssl tool there is nothing to make certificates with.
describe.skipIf(!hasOpenssl())('TLS', () => {
  let authority: Authority;
  let usual: string[];

  beforeAll(() => {
    authority = createAuthority();
    usual = getCACertificates('default');
    setDefaultCACertificates([...usual, authority.cert]);
  });

  afterAll(() => {
    setDefaultCACertificates(usual);
    authority.remove();
  });

  describe.each(WAYS)('%s', (way) => {
    test('a lead with a good certificate answers', async () => {
      const lead = await secureLead(authority.issue(NAME));
      lead.script(...ANSWERED);
      const { trail, delivered } = await askIn(await gatewayBefore(named(lead)), way);
      expect([trail, delivered]).toEqual([['FIRST lead OK'], WHOLE]);
    });

    test.each([
      { name: 'has expired', issue: () => authority.issue(NAME, { days: -1 }), code: 'CERT_HAS_EXPIRED' },
      {
        name: 'is for another name',
        issue: () => authority.issue('example.org'),
        code: 'ERR_TLS_CERT_ALTNAME_INVALID',
      },
      { name: 'nobody trusts', issue: selfSigned, code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    ])('a certificate that $name is refused before a word of the prompt is sent', async ({ issue, code }) => {
      const lead = await secureLead(issue());
      const gateway = await gatewayBefore(named(lead));
      const { trail, delivered, attempts } = await askIn(gateway, way);
      expect(trail).toEqual(['FIRST lead PROVIDER_UNAVAILABLE', 'FAILOVER second OK']);
      expect(delivered).toBe(OTHER);
      expect(attempts[0]).toMatchObject({ providerCode: code, cost: { nanoUsd: 0n } });
      expect(lead.requestCount).toBe(0);
      expect((await healthOf(gateway, 'lead')).failures).toBe(1n);
    });

    test('a connection that ends without a goodbye within the answer is a break', async () => {
      const lead = await secureLead(authority.issue(NAME));
      lead.script(...BEGUN, { do: 'reset' });
      const { error, text, delivered } = await askIn(await gatewayBefore(named(lead)), way);
      if (way === 'StreamChat')
        expect([error?.code, error?.reason, delivered]).toEqual(['ABORTED', 'STREAM_INTERRUPTED', BEGINNING]);
      else expect([error, text]).toEqual([undefined, OTHER]);
    });
  });
});

/** A certificate of an authority that nobody has heard of. */
function selfSigned(): ChaosIdentity {
  const stranger = createAuthority();
  try {
    return stranger.issue(NAME);
  } finally {
    stranger.remove();
  }
}
