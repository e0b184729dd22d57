import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { DroppedRequests, ReadingPace } from '../../../src/server/wire/reading-pace.ts';

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
  received = 0;

  read(): void {}

  resume(): void {
    this.isReading = true;
  }

  pause(): void {
    this.isReading = false;
  }

  send(): void {
    if (!this.isReading) return;
    this.received += 64 * KIB;
    this.emit('data', new Uint8Array(64 * KIB));
  }
}

function dropAll(requests: readonly SentRequest[], dropped: DroppedRequests): void {
  for (const request of requests) dropped.drop(request);
}

test('the rest of one request is read at 8 MiB a second', () => {
  const timers = timersByHand();
  const dropped = new DroppedRequests(timers);
  const request = new SentRequest();
  dropAll([request], dropped);
  for (let step = 0; step < 20; step += 1) {
    for (let count = 0; count < 100; count += 1) request.send();
    timers.step();
  }
  expect(request.received / KIB / KIB).toBeCloseTo(8, 0);
});

test('those of many are read no faster together, by turns', () => {
  const timers = timersByHand();
  const dropped = new DroppedRequests(timers);
  const requests = Array.from({ length: 100 }, () => new SentRequest());
  dropAll(requests, dropped);
  for (let step = 0; step < 100; step += 1) {
    for (const request of requests) request.send();
    timers.step();
  }
  const read = requests.map((request) => request.received);
  expect(read.reduce((sum, bytes) => sum + bytes, 0) / KIB / KIB).toBeLessThan(50);
  expect(Math.min(...read)).toBeGreaterThan(192 * KIB);
});

test('a request that is closed is waited for no more', () => {
  const timers = timersByHand();
  const request = new SentRequest();
  new DroppedRequests(timers).drop(request);
  for (let count = 0; count < 100; count += 1) request.send();
  expect(request.isReading).toBe(false);
  request.emit('close');
  timers.step();
  expect(timers.isWaiting).toBe(false);
  expect(request.isReading).toBe(false);
});

test('what is left alone is neither paused nor resumed any more', () => {
  const timers = timersByHand();
  const pace = new ReadingPace(128 * KIB, (step) => void timers.setTimer(0, step));
  const [one, other] = [new SentRequest(), new SentRequest()];
  for (const source of [one, other]) {
    source.resume();
    pace.read(source, 64 * KIB);
  }
  expect([one.isReading, other.isReading]).toEqual([true, false]);
  pace.read(one, 64 * KIB);
  expect(one.isReading).toBe(false);
  pace.leave(one);
  timers.step();
  expect([one.isReading, other.isReading]).toEqual([false, true]);
});
