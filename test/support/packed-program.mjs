// A program that embeds the gateway, as plain JavaScript; it runs outside the repository and prints what it found as JSON.
import { ConfigError, createGateway } from 'understudy';
import { Role } from 'understudy/v1/chat';
import { ErrorReason } from 'understudy/v1/error';

const messages = [{ role: Role.USER, content: [{ part: { case: 'text', value: 'Who is there?' } }] }];
const targets = [
  { name: 'lead', provider: 'mock', model: 'mock-401' },
  { name: 'understudy', provider: 'mock' },
];

async function errorOf(call) {
  try {
    await call();
    return 'none';
  } catch (error) {
    return error;
  }
}

function nameOf(names, number) {
  return Object.keys(names).find((name) => names[name] === number);
}

const gateway = createGateway({ config: { targets } });
const generated = await gateway.generate({ prompt: 'Who is there?' });
const chatted = await gateway.chat({ messages, model: 'understudy/mock-ok' });
const events = [];
for await (const { event } of gateway.streamChat({ messages })) {
  events.push(event.case);
  if (event.case === 'textDelta') break;
}
const refused = await errorOf(() => gateway.generate({ prompt: '', options: { temperature: 99 } }));
const health = await gateway.health();
const { models } = await gateway.listModels({ target: 'understudy' });
await gateway.close();

const fault = await errorOf(() =>
  createGateway({ config: { targets: [{ name: 'lead', provider: 'nobody', api_key: 'sk-planted' }], routess: [] } }),
);
const nobody = createGateway({ env: {} });
const unconfigured = await errorOf(() => nobody.generate({ prompt: 'Who is there?' }));
await nobody.close();
const found = createGateway({ env: { DEEPSEEK_API_KEY: 'sk-planted', UNDERSTUDY_MOCK: '1' } });
const mocked = await found.generate({ prompt: 'Who is there?', model: 'mock-echo' });
await found.close();

process.stdout.write(
  JSON.stringify({
    generated: {
      text: generated.text,
      target: generated.target,
      tokens: generated.tokensUsed,
      cost: generated.costUsd,
      trail: generated.attempts.map(({ target, outcome }) => `${target} ${nameOf(ErrorReason, outcome)}`),
    },
    chatted: { text: chatted.text, role: nameOf(Role, chatted.message.role) },
    events,
    refused: { name: refused.name, message: refused.message },
    health: health.providers.map(({ target, inFlight }) => ({ target, inFlight })),
    version: health.version,
    models: models.filter(({ defaultOfTarget }) => defaultOfTarget).map(({ id }) => id),
    fault: { isConfigError: fault instanceof ConfigError, message: fault.message },
    unconfigured: unconfigured.message,
    mocked: { provider: mocked.provider, text: mocked.text },
  }),
);
