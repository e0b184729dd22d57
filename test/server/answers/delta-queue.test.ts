import { describe, expect, test, vi } from 'vitest';
import type { Delta } from '../../../src/core/answer.ts';
import {
  AnswerQueue,
  MAX_QUEUED_BYTES,
  MAX_QUEUED_DELTAS,
  type StreamItem,
} from '../../../src/server/answers/delta-queue.ts';
import { SERVING } from '../support/fake-gateway.ts';

const text = (value: string, index = 0): Delta => ({ kind: 'text', index, text: value });

const openQueue = (): AnswerQueue => new AnswerQueue(() => undefined);

function drain(queue: AnswerQueue): StreamItem[] {
  const items: StreamItem[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) items.push(item);
  return items;
}

test('items come in order, those that wait together are joined by part and kind', async () => {
  const queue = openQueue();
  queue.started(SERVING);
  queue.output(text('a'));
  queue.output(text('b'));
  queue.output({ kind: 'reasoning', index: 0, text: 'c' });
  queue.output(text('d', 1));
  queue.output({ kind: 'part_finished', index: 1 });
  queue.output({ kind: 'tool_call', index: 2, id: 'x', name: 'n', argumentsFragment: '{' });
  queue.output({ kind: 'tool_call', index: 2, argumentsFragment: '}' });
  queue.output({ kind: 'tool_call', index: 3, id: 'y', name: 'n', argumentsFragment: '' });
  queue.ping();
  queue.ping();
  queue.end();
  expect(drain(queue)).toEqual([
    { type: 'started', serving: SERVING },
    { type: 'delta', delta: text('ab') },
    { type: 'delta', delta: { kind: 'reasoning', index: 0, text: 'c' } },
    { type: 'delta', delta: text('d', 1) },
    { type: 'delta', delta: { kind: 'part_finished', index: 1 } },
    { type: 'delta', delta: { kind: 'tool_call', index: 2, id: 'x', name: 'n', argumentsFragment: '{}' } },
    { type: 'delta', delta: { kind: 'tool_call', index: 3, id: 'y', name: 'n', argumentsFragment: '' } },
    { type: 'ping' },
  ]);
});

test('a broken answer is read to its end before the new beginning, and is not joined with what follows', async () => {
  const queue = openQueue();
  queue.output(text('half'));
  queue.restarted(SERVING, 'PROVIDER_UNAVAILABLE');
  queue.output(text('whole'));
  queue.end();
  expect(drain(queue)).toEqual([
    { type: 'delta', delta: text('half') },
    { type: 'restarted', serving: SERVING, reason: 'PROVIDER_UNAVAILABLE' },
    { type: 'delta', delta: text('whole') },
  ]);
});

test('a reader hears of what comes, and of the end', () => {
  let heard = 0;
  const queue = new AnswerQueue(() => {
    heard += 1;
  });
  expect(queue.take()).toBeUndefined();
  queue.output(text('a'));
  expect(heard).toBe(1);
  expect(queue.take()).toEqual({ type: 'delta', delta: text('a') });
  expect(queue.take()).toBeUndefined();
  queue.end();
  expect(heard).toBe(2);
  expect(queue.take()).toBeUndefined();
});

describe('a reader that does not pull', () => {
  test('stops the engine at 256 pieces and lets it go on when 16 were read, once', async () => {
    const queue = openQueue();
    const writable = Array.from({ length: MAX_QUEUED_DELTAS }, (_, index) => queue.output(text('a', index)));
    expect(writable.indexOf(false)).toBe(MAX_QUEUED_DELTAS - 1);
    let resumed = 0;
    queue.whenWritable(() => {
      resumed += 1;
    });
    for (let pulled = 0; pulled < 15; pulled += 1) queue.take();
    expect(resumed).toBe(0);
    queue.take();
    expect(resumed).toBe(1);
    queue.take();
    expect(resumed).toBe(1);
  });

  test('stops the engine at 1 MiB of UTF-8', () => {
    const queue = openQueue();
    expect(queue.output(text('ä'.repeat(MAX_QUEUED_BYTES / 2)))).toBe(true);
    expect(queue.output(text('a'))).toBe(false);
  });

  test('stops the engine until 64 KiB of 1 MiB were read: who reads steadily is not one that does not read', () => {
    const queue = openQueue();
    while (queue.output(text('a'.repeat(8 * 1024))));
    const resume = vi.fn<() => void>();
    queue.whenWritable(resume);
    queue.take();
    expect(resume).not.toHaveBeenCalled();
    queue.take();
    expect(resume).toHaveBeenCalledOnce();
  });

  test('calls back at once where there is room already, but not while it is asked', async () => {
    const queue = openQueue();
    let resumed = false;
    queue.whenWritable(() => {
      resumed = true;
    });
    expect(resumed).toBe(false);
    await Promise.resolve();
    expect(resumed).toBe(true);
  });
});

test('no message is joined beyond 64 KiB', async () => {
  const queue = openQueue();
  for (let index = 0; index < 3; index += 1) queue.output(text('a'.repeat(30_000)));
  queue.end();
  const sizes = drain(queue).map((item) =>
    item.type === 'delta' && item.delta.kind === 'text' ? item.delta.text.length : 0,
  );
  expect(sizes).toEqual([60_000, 30_000]);
});

test('what comes after the end is dropped', async () => {
  const queue = openQueue();
  queue.end();
  expect(queue.output(text('a'))).toBe(true);
  queue.ping();
  expect(queue.take()).toBeUndefined();
});
