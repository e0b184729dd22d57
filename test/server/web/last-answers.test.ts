import { once } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { webDoor } from '../support/doors.ts';
import { fakeGateway, SERVING, success } from '../support/fake-gateway.ts';
import { transfersByHand } from '../support/transfers-by-hand.ts';

const JSON_CHAT = JSON.stringify({ messages: [{ role: 'ROLE_USER', content: [{ text: 'hello' }] }] });
const CHAT = '/understudy.v1.LlmService/Chat';

/** A caller whose connections stay open between requests. */
function keepAliveAgent(): Agent {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  return agent;
}

function responseOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.once('error', reject);
  });
}

/** Asks over an agent; says which port the connection had, so that one may be told from the next. */
async function ask(agent: Agent, url: string, body?: string) {
  const request = httpRequest(url, {
    agent,
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'content-type': 'application/json' },
  });
  request.end(body);
  const answer = await responseOf(request);
  const { socket } = answer;
  const port = socket.localPort;
  answer.resume();
  await once(answer, 'end');
  return { status: answer.statusCode, connection: answer.headers.connection, port, socket };
}

describe('callers with connections that stay open', () => {
  test('are told in each answer, once they are to go elsewhere, that the connection ends with it', async () => {
    let leaving = false;
    const { baseUrl } = await webDoor(
      fakeGateway(() => Promise.resolve(success())),
      { isLeaving: () => leaving },
    );
    const agent = keepAliveAgent();
    const first = await ask(agent, `${baseUrl}/livez`);
    const second = await ask(agent, `${baseUrl}${CHAT}`, JSON_CHAT);
    expect([first.connection, second.connection]).toEqual(['keep-alive', 'keep-alive']);
    expect(second.port).toBe(first.port);
    leaving = true;
    const last = await ask(agent, `${baseUrl}${CHAT}`, JSON_CHAT);
    expect(last).toMatchObject({ status: 200, connection: 'close', port: first.port });
    const other = await ask(agent, `${baseUrl}${CHAT}`, JSON_CHAT);
    expect(other).toMatchObject({ status: 200, connection: 'close' });
    expect(other.port).not.toBe(first.port);
  });

  test('are closed at once where they are idle; an answer under way is the last of its connection', async () => {
    const finish = Promise.withResolvers<void>();
    const gateway = fakeGateway(async () => {
      await finish.promise;
      return success();
    });
    const { door, baseUrl } = await webDoor(gateway);
    const idle = await ask(keepAliveAgent(), `${baseUrl}/livez`);
    const running = ask(keepAliveAgent(), `${baseUrl}${CHAT}`, JSON_CHAT);
    await expect.poll(() => gateway.calls.length).toBe(1);
    await door.sendAway();
    if (!idle.socket.destroyed) await once(idle.socket, 'close');
    await expect(fetch(`${baseUrl}/livez`)).rejects.toThrow('fetch failed');
    finish.resolve();
    expect(await running).toMatchObject({ status: 200, connection: 'close' });
  });

  test('whose first request is on its way when the listener closes are answered', async () => {
    const { door, baseUrl } = await webDoor(fakeGateway(() => Promise.resolve(success())));
    const served = await ask(keepAliveAgent(), `${baseUrl}/livez`);
    const { hostname, port } = new URL(baseUrl);
    const socket = connect(Number(port), hostname);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    // It was made later, so that the door has taken it by the time it has answered.
    await ask(keepAliveAgent(), `${baseUrl}/livez`);
    const sentAway = door.sendAway();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    expect(socket.destroyed).toBe(false);
    socket.end(`GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer).toContain('connection: close');
    await sentAway;
    if (!served.socket.destroyed) await once(served.socket, 'close');
  });

  test('whose requests have come in half when the grace is over are told to go elsewhere', async () => {
    const { transfers } = transfersByHand();
    const { door, baseUrl } = await webDoor(
      fakeGateway(() => Promise.resolve(success())),
      { transfers },
    );
    const headers = { 'content-type': 'application/json', 'content-length': 1000, 'x-request-id': 'mine' };
    const request = httpRequest(`${baseUrl}${CHAT}`, { method: 'POST', headers });
    onTestFinished(() => void request.destroy());
    const answered = responseOf(request);
    request.write('{"messages');
    await expect.poll(() => transfers.budget.requestBytes).toBe(1000);
    const drained = door.drain(0);
    const answer = await answered;
    expect(answer.statusCode).toBe(503);
    expect(await text(answer)).toContain('SHUTTING_DOWN');
    expect(answer.headers['connection']).toBe('close');
    await drained;
  });

  test('that read a stream which began before are closed behind it', async () => {
    const finish = Promise.withResolvers<void>();
    const gateway = fakeGateway(async (call) => {
      call.client?.started(SERVING);
      call.client?.output({ kind: 'text', index: 0, text: 'hi' });
      await finish.promise;
      return success();
    });
    const { door, baseUrl } = await webDoor(gateway);
    const agent = keepAliveAgent();
    const body = Buffer.from(JSON_CHAT);
    const envelope = Buffer.concat([Buffer.from([0, 0, 0, 0, body.byteLength]), body]);
    const request = httpRequest(`${baseUrl}/understudy.v1.LlmService/StreamChat`, {
      agent,
      method: 'POST',
      headers: { 'content-type': 'application/connect+json' },
    });
    request.end(envelope);
    const answer = await responseOf(request);
    expect(answer.headers.connection).toBe('keep-alive');
    const closed = once(answer.socket, 'close');
    await door.sendAway();
    finish.resolve();
    let text = '';
    for await (const chunk of answer) text += String(chunk);
    expect(text).toContain('finished');
    await closed;
  });
});
