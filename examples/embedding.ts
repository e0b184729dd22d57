// The gateway as a library, without any server:
//   npm run example examples/embedding.ts
import { createGateway } from 'understudy';
import { Role } from 'understudy/v1/chat';

const gateway = createGateway({
  config: {
    targets: [
      { name: 'lead', provider: 'openai', model: 'mock-529', mock: true },
      { name: 'understudy', provider: 'anthropic', model: 'mock-ok', mock: true },
    ],
  },
});

const { text, target, tokensUsed } = await gateway.generate({ prompt: 'Say hello.' });
console.log(`${target}, ${tokensUsed} tokens: ${text}`);

const messages = [{ role: Role.USER, content: [{ part: { case: 'text' as const, value: 'And now in a stream.' } }] }];
for await (const { event } of gateway.streamChat({ messages })) {
  if (event.case === 'textDelta') process.stdout.write(event.value.text);
}
process.stdout.write('\n');
await gateway.close();
