import { Buffer } from 'node:buffer';

import type { ChaosStep } from './chaos-upstream.ts';
import { mulberry32 } from './virtual-runtime.ts';

/** Changes how a script gets through, as a proxy between the two sides would: the toxics of Toxiproxy. */
export type Toxic = (steps: readonly ChaosStep[]) => readonly ChaosStep[];

/** Lets every piece come later, by `ms` and at most `jitterMs` more or less; the jitter has a seed. */
export function latency(ms: number, jitterMs = 0, seed = 1): Toxic {
  const random = mulberry32(seed);
  return everySend((bytes) => [pause(ms + (2 * random() - 1) * jitterMs), send(bytes)]);
}

/** Lets so many bytes through in every 10 ms. */
export function bandwidth(bytesPer10Ms: number): Toxic {
  return everySend((bytes) => pieces(bytes, bytesPer10Ms).flatMap((piece) => [send(piece), pause(10)]));
}

/** Cuts what is sent into pieces of so many bytes, each a packet of its own. */
export function slicer(size: number): Toxic {
  return everySend((bytes) => pieces(bytes, size).map(send));
}

/** Lets the end of the connection come later, by `ms`. */
export function slowClose(ms: number): Toxic {
  return (steps) => steps.flatMap((step) => (step.do === 'end' ? [pause(ms), step] : [step]));
}

/** Lets nothing through, and closes the connection after `ms`; never where that is 0. */
export function timeout(ms: number): Toxic {
  return () => (ms === 0 ? [{ do: 'await_close' }] : [pause(ms), { do: 'end' }]);
}

/** Closes the connection with an RST after `ms`, whatever was to come. */
export function resetPeer(ms: number): Toxic {
  return () => [pause(ms), { do: 'reset' }];
}

/** Closes the connection with a FIN after so many bytes. */
export function limitData(limit: number): Toxic {
  return (steps) => {
    let left = limit;
    const passed: ChaosStep[] = [];
    for (const step of steps) {
      if (step.do === 'send') {
        const bytes = Buffer.from(step.bytes).subarray(0, left);
        left -= bytes.length;
        passed.push(send(bytes));
      } else {
        passed.push(step);
      }
      if (left === 0) break;
    }
    return [...passed, { do: 'end' }];
  };
}

function everySend(change: (bytes: Uint8Array) => readonly ChaosStep[]): Toxic {
  return (steps) => steps.flatMap((step) => (step.do === 'send' ? change(Buffer.from(step.bytes)) : [step]));
}

function pieces(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

function send(bytes: Uint8Array): ChaosStep {
  return { do: 'send', bytes };
}

function pause(ms: number): ChaosStep {
  return { do: 'pause', ms };
}
