import { describe, expect, it } from 'vitest';

import { Cohort } from '../../../src/core/cohort.ts';
import { inCohorts } from '../../../src/upstream/network/cohort-transport.ts';
import type { HttpExchange, HttpHandler, Transport } from '../../../src/core/transport.ts';

const REQUEST = { method: 'POST', url: new URL('http://upstream.test/'), headers: {}, body: '' } as const;

/** A transport whose answers the test gives, and a turn of the event loop that it ends. */
function stage() {
  const turnEnds: (() => void)[] = [];
  const heard: string[] = [];
  const asked: string[] = [];
  const given: HttpHandler[] = [];
  const transport: Transport = {
    send: (_request, handler) => {
      given.push(handler);
      return {
        abort: () => asked.push('abort'),
        pause: () => asked.push('pause'),
        resume: () => asked.push('resume'),
      };
    },
    retire: () => Promise.resolve(),
    close: () => {
      asked.push('close');
      return Promise.resolve();
    },
  };
  const staged = inCohorts(transport, new Cohort({ afterInput: (run) => void turnEnds.push(run) }));
  const send = (name: string, changes: Partial<HttpHandler> = {}): { exchange: HttpExchange; answer: HttpHandler } => {
    const exchange = staged.send(REQUEST, {
      onHeaders: (status, headers) => heard.push(`${name} ${status} ${JSON.stringify(headers)}`),
      onData: (chunk) => heard.push(`${name} ${chunk.length} bytes`),
      onEnd: () => heard.push(`${name} end`),
      onError: (error) => heard.push(`${name} ${String(error)}`),
      ...changes,
    });
    const answer = given.at(-1);
    if (answer === undefined) throw new Error('nothing was sent');
    return { exchange, answer };
  };
  const endTurn = (): void => {
    for (const run of turnEnds.splice(0)) run();
  };
  return { staged, heard, asked, send, endTurn };
}

describe('answers that come in one turn', () => {
  it('are told together: all heads, all bodies, each in one piece, all ends', () => {
    const { heard, send, endTurn } = stage();
    const [first, second] = [send('first'), send('second')];
    first.answer.onHeaders(200, { a: 'b' });
    first.answer.onData(new Uint8Array(3));
    first.answer.onData(new Uint8Array(4));
    first.answer.onEnd();
    second.answer.onHeaders(500, {});
    second.answer.onData(new Uint8Array(5));
    second.answer.onError('reset');
    expect(heard).toEqual([]);
    endTurn();
    expect(heard).toEqual([
      'first 200 {"a":"b"}',
      'second 500 {}',
      'first 7 bytes',
      'second 5 bytes',
      'first end',
      'second reset',
    ]);
  });

  it('are told in the pieces in which they came where one of these is no text, which spoils none before it', () => {
    const { heard, send, endTurn } = stage();
    const { answer } = send('odd');
    answer.onHeaders(200, {});
    answer.onData(Buffer.from('good'));
    answer.onData(new Uint8Array([0xff]));
    answer.onEnd();
    endTurn();
    expect(heard).toEqual(['odd 200 {}', 'odd 4 bytes', 'odd 1 bytes', 'odd end']);
  });

  it('go on in later turns', () => {
    const { heard, send, endTurn } = stage();
    const { answer } = send('slow');
    answer.onHeaders(200, {});
    endTurn();
    answer.onData(new Uint8Array(1));
    answer.onEnd();
    endTurn();
    expect(heard).toEqual(['slow 200 {}', 'slow 1 bytes', 'slow end']);
  });

  it('are not told any more once they are aborted, also by one who hears of them', () => {
    const { heard, asked, send, endTurn } = stage();
    const { answer, exchange } = send('unwanted');
    answer.onHeaders(200, {});
    exchange.abort();
    endTurn();
    expect([heard, asked]).toEqual([[], ['abort']]);
    const choosy = send('choosy', { onHeaders: () => choosy.exchange.abort() });
    choosy.answer.onHeaders(200, {});
    choosy.answer.onData(new Uint8Array(1));
    choosy.answer.onEnd();
    endTurn();
    expect(heard).toEqual([]);
  });

  it('of more than 64 KiB are told at once, so that a pause comes in time', () => {
    const { heard, asked, send, endTurn } = stage();
    const large = send('large', { onData: () => large.exchange.pause() });
    large.answer.onHeaders(200, {});
    large.answer.onData(new Uint8Array(64 * 1024));
    expect(asked).toEqual([]);
    large.answer.onData(new Uint8Array(1));
    expect(heard).toEqual(['large 200 {}']);
    expect(asked).toEqual(['pause']);
    large.exchange.resume();
    large.answer.onEnd();
    endTurn();
    expect(heard).toEqual(['large 200 {}', 'large end']);
    expect(asked.at(-1)).toBe('resume');
  });

  it('end as failed where their handler throws, and harm no other', () => {
    const { heard, asked, send, endTurn } = stage();
    const broken = send('broken', {
      onHeaders: () => {
        throw new Error('a fault of ours');
      },
    });
    const sound = send('sound');
    broken.answer.onHeaders(200, {});
    broken.answer.onEnd();
    sound.answer.onHeaders(200, {});
    endTurn();
    expect(heard).toEqual(['broken Error: a fault of ours', 'sound 200 {}']);
    expect(asked).toEqual(['abort']);
  });

  it('come through the transport that is closed with them', async () => {
    const { staged, asked } = stage();
    await staged.close();
    expect(asked).toEqual(['close']);
  });
});
