import { describe, expect, onTestFinished, test } from 'vitest';

import { LlmService } from '../../gen/understudy/v1/llm_pb.ts';
import type { ChaosDialect } from '../support/chaos-dialects.ts';
import { DIALECTS } from '../support/chaos-dialects.ts';
import { healthOf, OTHER } from '../support/chaos-stage.ts';
import type { ChaosStep } from '../support/chaos-upstream.ts';
import { chunk, head, lastChunk } from '../support/chaos-upstream.ts';
import { chaosUpstream, chatTarget, gatewayFor } from '../support/failover-stage.ts';
import { goodAnswer } from '../support/openai-bodies.ts';
import { createVirtualSystem } from '../support/virtual-system.ts';
import { askIn } from '../support/ways.ts';

const UNTIL_GONE: ChaosStep = { do: 'await_close' };
const [CHAT, RESPONSES, MESSAGES, OLLAMA] = DIALECTS;

/** How long each API is waited for, in seconds, and what comes of it while its model thinks. */
const APIS = [
  { ...api(RESPONSES, { model: 'gpt-5.1' }), name: 'OpenAI, Responses', noHead: 40, headAlone: 12, signs: 180 },
  { ...api(CHAT, { model: 'gpt-5.1' }), name: 'OpenAI, Chat', noHead: 120, headAlone: 40, signs: 180 },
  { ...azure(RESPONSES), name: 'Azure, Responses', noHead: 40, headAlone: 12, signs: 180 },
  { ...azure(CHAT), name: 'Azure, Chat, a model that nobody has named', noHead: 40, headAlone: 12, signs: 180 },
  { ...azure(CHAT, 'gpt-5.1'), name: 'Azure, Chat', noHead: 120, headAlone: 40, signs: 180 },
  { ...api(MESSAGES, {}), name: 'Anthropic', noHead: 40, headAlone: 12, signs: 180 },
  { ...deepSeek(CHAT), name: 'DeepSeek', noHead: 40, headAlone: 12, signs: 180 },
  { ...api(OLLAMA, {}), name: 'Ollama', noHead: 120, headAlone: 40, signs: 180 },
  { ...api(CHAT, {}), name: 'somebody’s server', noHead: 12, headAlone: 12, signs: 120 },
];

function api(dialect: ChaosDialect | undefined, target: ChaosDialect['target']): ChaosDialect {
  if (dialect === undefined) throw new Error('a dialect is missing');
  return { ...dialect, target: { ...dialect.target, ...target } };
}

function azure(dialect: ChaosDialect | undefined, model = 'deployment'): ChaosDialect {
  return api(dialect, { provider: 'azure-openai', model });
}

function deepSeek(dialect: ChaosDialect | undefined): ChaosDialect {
  return { ...api(dialect, { provider: 'deepseek', model: 'deepseek-flash' }), startup: ': keep-alive\n\n' };
}

async function stage({ target, path, contentType }: ChaosDialect) {
  const system = createVirtualSystem();
  const [lead, second] = [await chaosUpstream(), await chaosUpstream()];
  second.script(...goodAnswer(true, OTHER));
  const gateway = await gatewayFor(
    {
      targets: [
        chatTarget('lead', lead.origin, { base_url: `${lead.origin}${path}`, ...target }),
        chatTarget('second', second.origin, { model: 'model-2' }),
      ],
    },
    system,
  );
  onTestFinished(async () => {
    const closed = gateway.close();
    await system.advance(60_000);
    await closed;
  });
  const start = head(200, { 'content-type': contentType, 'transfer-encoding': 'chunked' });
  /** Lets time pass once what the lead has said before is read: it goes a shorter way than these calls. */
  const wait = async (seconds: number): Promise<void> => {
    for (let count = 0; count < 3; count++) await gateway.client.call(LlmService.method.health, {});
    await system.advance(seconds * 1_000);
  };
  return { lead, second, gateway, start, wait };
}

describe.each(APIS)('$name', (dialect) => {
  const { startup, say, end, noHead, headAlone, signs } = dialect;

  test.each([
    { name: 'no head', said: [], limit: noHead },
    { name: 'a head alone', said: ['head'], limit: headAlone },
    { name: 'a sign of life', said: ['head', 'startup'], limit: signs },
  ])('is left with $name after $limit s', async ({ said, limit }) => {
    const { lead, gateway, start, wait } = await stage(dialect);
    lead.script(...said.map((what) => (what === 'head' ? start : chunk(startup))), UNTIL_GONE);
    const asked = askIn(gateway, 'StreamChat');
    await lead.request(0);
    await wait(limit - 1);
    expect((await healthOf(gateway, 'lead')).failures).toBe(0n);
    await wait(1);
    const { trail, delivered } = await asked;
    expect([trail, delivered]).toEqual([['FIRST lead PROVIDER_TIMEOUT', 'FAILOVER second OK'], OTHER]);
    await lead.allClosed();
  });

  test('a model that thinks for 90 s is never cut', async () => {
    const { lead, second, gateway, start, wait } = await stage(dialect);
    const thought = Promise.withResolvers<void>();
    const hold: ChaosStep = { do: 'hold', until: thought.promise };
    const answer = [chunk(say('Well.')), chunk(end), lastChunk];
    // Some send their head with the first words.
    lead.script(...(noHead > 90 ? [hold, start] : [start, chunk(startup), hold]), ...answer);
    const asked = askIn(gateway, 'StreamChat');
    await lead.request(0);
    await wait(90);
    thought.resolve();
    const { trail, delivered } = await asked;
    expect([trail, delivered, second.requestCount]).toEqual([['FIRST lead OK'], 'Well.', 0]);
  });
});
