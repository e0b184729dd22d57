// Streams an answer that breaks off after two thirds and begins anew at the next target:
//   npm start -- --config examples/failover.yaml
//   npm run example examples/restart.ts
import { createLlmClient, Recovery, userMessage } from '@understudy/client';

const [address = '127.0.0.1:50051'] = process.argv.slice(2);
const client = createLlmClient(address);
const stream = client.streamChat({
  messages: [userMessage('What does an understudy do?')],
  model: 'lead/mock-stream-cut',
  recovery: Recovery.RESTART,
});

let pieces: { sequence: bigint; text: string }[] = [];
for await (const { sequence, event } of stream) {
  if (event.case === 'textDelta') pieces.push({ sequence, text: event.value.text });
  if (event.case === 'restarted') {
    const { target, discardFromSequence } = event.value;
    console.log(`${target} begins anew; discarded: ${pieces.map(({ text }) => text).join('')}`);
    pieces = pieces.filter((piece) => piece.sequence < discardFromSequence);
  }
  if (event.case === 'finished') console.log(`${event.value.target}: ${pieces.map(({ text }) => text).join('')}`);
}
client.close();
