import type { ClientHttp2Session } from 'node:http2';
import { system } from '../../../src/system.ts';

/** Makes a runtime whose connections are idle for as long as a test says. */
export function idleTime() {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const runtime = {
    ...system,
    now: () => nowMs,
    setTimer: (ms: number, fire: () => void) => (ms < IDLE_MS / 2 ? system.setTimer(ms, fire) : due.push(fire)),
  };
  const pass = (ms: number): void => {
    nowMs += ms;
    for (const fire of due.splice(0)) fire();
  };
  return { runtime, pass };
}

/** After how long without a call connections are sent away, in milliseconds: no other timer is half as long. */
export const IDLE_MS = 1_000_000;

/** Resolves when the server has read what the client has sent so far, and the client what it was answered before. */
export function answersPing(client: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    client.ping((error) => (error === null ? resolve() : reject(error)));
  });
}
