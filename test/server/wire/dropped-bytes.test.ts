import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { DroppedBytes } from '../../../src/server/wire/dropped-bytes.ts';

const KIB = 1024;

/** Timers that run out when a test says so. */
function timersByHand() {
  const waiting: (() => void)[] = [];
  return {
    setTimer: (_ms: number, fire: () => void) => waiting.push(fire),
    step: () => {
      for (const fire of waiting.splice(0)) fire();
    },
    get isWaiting() {
      return waiting.length > 0;
    },
  };
}

/** A request whose client sends 64 KiB whenever it is read. */
class SentRequest extends EventEmitter {
  isReading = false;
  read = 0;

  resume(): void {
    this.isReading = true;
  }

  pause(): void {
    this.isReading = false;
  }

  send(): void {
    if (!this.isReading) return;
    this.read += 64 * KIB;
    this.emit('data', new Uint8Array(64 * KIB));
  }
}

function dropAll(requests: readonly SentRequest[], dropped: DroppedBytes): void {
  for (const request of requests) dropped.drop(request);
}

test('the rest of one request is read at 32 MiB a second', () => {
  const timers = timersByHand();
  const dropped = new DroppedBytes(timers);
  const request = new SentRequest();
  dropAll([request], dropped);
  for (let step = 0; step < 20; step += 1) {
    for (let count = 0; count < 100; count += 1) request.send();
    timers.step();
  }
  expect(request.read / KIB / KIB).toBeCloseTo(32, -1);
});

test('those of many are read no faster together, by turns', () => {
  const timers = timersByHand();
  const dropped = new DroppedBytes(timers);
  const requests = Array.from({ length: 100 }, () => new SentRequest());
  dropAll(requests, dropped);
  for (let step = 0; step < 40; step += 1) {
    for (const request of requests) request.send();
    timers.step();
  }
  const read = requests.map((request) => request.read);
  expect(read.reduce((sum, bytes) => sum + bytes, 0) / KIB / KIB).toBeLessThan(75);
  expect(Math.min(...read)).toBeGreaterThan(128 * KIB);
});

test('a request that is closed is waited for no more', () => {
  const timers = timersByHand();
  const request = new SentRequest();
  new DroppedBytes(timers).drop(request);
  for (let count = 0; count < 100; count += 1) request.send();
  expect(request.isReading).toBe(false);
  request.emit('close');
  timers.step();
  expect(timers.isWaiting).toBe(false);
  expect(request.isReading).toBe(false);
});
