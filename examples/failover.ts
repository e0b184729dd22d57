// Asks a gateway whose first target is overloaded, and prints what was tried:
//   npm start -- --config examples/failover.yaml
//   npm run example examples/failover.ts
import { AttemptKind, createLlmClient, ErrorReason } from '@understudy/client';

const [address = '127.0.0.1:50051'] = process.argv.slice(2);
const client = createLlmClient(address);

const { target, text, attempts } = await client.generate({ prompt: 'Say hello.' });
console.log(`${target}: ${text}`);
for (const { number, kind, target, outcome } of attempts) {
  // An outcome that is not specified is a success.
  const end = outcome === ErrorReason.UNSPECIFIED ? 'OK' : ErrorReason[outcome];
  console.log(`${number}. ${AttemptKind[kind]} ${target}: ${end}`);
}
client.close();
