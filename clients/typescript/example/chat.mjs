// Asks a gateway one question and prints the answer as it is written.
// node chat.mjs [address] [question]
import { collect, createLlmClient, decodeError, Recovery, userMessage } from '@understudy/client';

const [address = '127.0.0.1:50051', question = 'What does an understudy do?'] = process.argv.slice(2);
const client = createLlmClient(address, { defaultTimeoutMs: { streamChat: 60_000 } });

try {
  const stream = client.streamChat({ messages: [userMessage(question)], recovery: Recovery.RESTART });
  const { finished } = await collect(stream, ({ event }) => {
    if (event.case === 'textDelta') process.stdout.write(event.value.text);
    if (event.case === 'restarted') process.stdout.write(`\n[begun anew by ${event.value.target}]\n`);
  });
  const tokens = finished.tokensUsed ?? 'unknown';
  const usd = finished.costUsd ?? 'unknown';
  process.stdout.write(`\n\n${finished.target}, model ${finished.model}; tokens: ${tokens}; USD: ${usd}\n`);
} catch (error) {
  const { reason, message, violations, attempts, requestId } = decodeError(error);
  process.stderr.write(`${reason === '' ? 'failed' : reason}: ${message} (request ${requestId || 'without id'})\n`);
  for (const { field, description } of violations) process.stderr.write(`  ${field}: ${description}\n`);
  for (const attempt of attempts) process.stderr.write(`  attempt ${attempt.number}: ${attempt.target}\n`);
  process.exitCode = 1;
} finally {
  client.close();
}
