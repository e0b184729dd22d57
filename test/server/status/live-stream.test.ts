import { ServerResponse } from 'node:http';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

import { describe, expect, test } from 'vitest';

import { LiveStream } from '../../../src/server/status/live-stream.ts';
import { createVirtualRuntime } from '../../support/virtual-runtime.ts';

interface Told {
  readonly set: Readonly<Record<string, unknown>>;
  readonly gone: readonly string[];
}

/** A response whose reader reads only while a test says so. */
function watcher() {
  const events: Told[] = [];
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  let isReading = true;
  let isOver = false;
  let text = '';
  Object.assign(response, {
    write: (piece: string): boolean => {
      text += piece;
      const data = /^data: (.*)$/m.exec(piece)?.[1];
      if (data !== undefined) events.push(JSON.parse(data) as Told);
      return isReading;
    },
    end: () => void (isOver = isReading),
    destroy: () => void (isOver = true),
  });
  return {
    response,
    events,
    text: () => text,
    /** Whether it was ended so that it hears of it, or cut off. */
    isOver: () => isOver,
    stopReading: () => void (isReading = false),
    readOn: () => {
      isReading = true;
      response.emit('drain');
    },
    leave: () => void response.emit('close'),
  };
}

function stream(sections: Record<string, unknown>) {
  const runtime = createVirtualRuntime();
  let looks = 0;
  const live = new LiveStream(() => {
    looks++;
    return Object.entries(sections);
  }, runtime);
  return { live, sections, runtime, looks: () => looks };
}

describe('the stream of the status page', () => {
  test('tells all at first, then each second what has changed, and what is gone', async () => {
    const { live, sections, runtime } = stream({ load: 1, 'target:a': { x: 1 }, 'target:b': 2 });
    const one = watcher();
    live.add(one.response);
    expect(one.text()).toMatch(/^retry: 1000\n\n/);
    expect(one.events).toMatchObject([{ set: { load: 1, 'target:a': { x: 1 }, 'target:b': 2 }, gone: [] }]);
    sections['load'] = 2;
    delete sections['target:b'];
    await runtime.advance(1_000);
    await runtime.advance(1_000);
    expect(one.events.slice(1)).toMatchObject([
      { set: { load: 2 }, gone: ['target:b'] },
      { set: {}, gone: [] },
    ]);
    expect(Object.keys(one.events[1]?.set ?? {})).toEqual(['load']);
  });

  test('looks once for all watchers, and not at all without any', async () => {
    const { live, runtime, looks } = stream({ load: 1 });
    const [one, other] = [watcher(), watcher()];
    live.add(one.response);
    live.add(other.response);
    const before = looks();
    await runtime.advance(1_000);
    expect(looks()).toBe(before + 1);
    one.leave();
    other.leave();
    expect(runtime.pendingTimers()).toBe(0);
  });

  test('writes nothing to a watcher that does not read, and tells it all when it reads on', async () => {
    const { live, sections, runtime } = stream({ load: 1, other: 1 });
    const slow = watcher();
    live.add(slow.response);
    slow.stopReading();
    await runtime.advance(1_000);
    const written = slow.events.length;
    for (let second = 0; second < 60; second++) {
      sections['load'] = second;
      await runtime.advance(1_000);
    }
    expect(slow.events).toHaveLength(written);
    slow.readOn();
    await runtime.advance(1_000);
    expect(slow.events.at(-1)).toMatchObject({ set: { load: 59, other: 1 } });
  });

  test('takes fifty watchers, of which the oldest gives way to one more', async () => {
    const { live, runtime } = stream({ load: 1 });
    const watchers = Array.from({ length: 50 }, watcher);
    const [oldest, second, third] = watchers;
    for (const { response } of watchers) live.add(response);
    expect([oldest?.isOver(), second?.isOver()]).toEqual([false, false]);
    const late = watcher();
    live.add(late.response);
    expect(late.events).toHaveLength(1);
    expect([oldest?.isOver(), second?.isOver()]).toEqual([true, false]);
    second?.stopReading();
    await runtime.advance(1_000);
    const last = watcher();
    live.add(last.response);
    expect([second?.isOver(), third?.isOver()]).toEqual([true, false]);
    for (const { leave } of [...watchers, late, last]) leave();
    expect(runtime.pendingTimers()).toBe(0);
  });
});
