import { EventEmitter, once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { LastAnswers } from '../../../src/server/http/last-answers.ts';
import { createListener } from '../../../src/server/http/listener.ts';
import { system } from '../../../src/system.ts';

test('an answer that has ended and is still being read is not cut off by another that ends as the server goes down', async () => {
  const responses: ServerResponse[] = [];
  const come = new EventEmitter();
  const listener = createListener({ name: 'web door', runtime: system }, (_request, response) => {
    lastAnswers.add(response);
    if ('stream' in response) return;
    responses.push(response);
    come.emit('request');
  });
  const lastAnswers = new LastAnswers(
    listener,
    () => 0,
    () => false,
  );
  const address = await listener.listen('127.0.0.1:0');
  onTestFinished(() => listener.close());
  const port = Number(address.split(':')[1]);
  const ask = async () => {
    const socket = connect(port, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    const asked = once(come, 'request');
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await asked;
    return { socket, response: responses.at(-1) };
  };
  const [slow, quick] = [await ask(), await ask()];
  const length = 16 * 1024 * 1024;
  slow.response?.writeHead(200, { 'content-length': length });
  slow.response?.end(Buffer.alloc(length));
  await lastAnswers.sendAway();
  quick.response?.end('quick');
  if (quick.response !== undefined) await once(quick.response, 'close');
  let bytes = 0;
  slow.socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  slow.socket.resume();
  await once(slow.socket, 'close');
  expect(bytes).toBeGreaterThan(length);
});
