import { below } from './shared/seeded.ts';
import type { Chance } from './shared/seeded.ts';

/** Bytes that come a while after those before them. */
export interface Piece {
  readonly afterMs: number;
  readonly bytes: Uint8Array;
}

/** Pieces no further apart than this may share a chunk, as on a busy socket. */
const SOON_MS = 50;

/**
 * Moves the borders of the pieces to random places: events are split, also inside of characters, and the rest of one may
 * come with the next. The bytes stay the same.
 */
export function inRandomChunks(pieces: readonly Piece[], chance: Chance): readonly Piece[] {
  const chunks: Piece[] = [];
  const bursts = burstsOf(pieces);
  let held: Uint8Array = new Uint8Array();
  for (const [index, burst] of bursts.entries()) {
    const parts = cutAt(join(held, burst.bytes), chance);
    const next = bursts[index + 1];
    const holdsBack = parts.length > 1 && next !== undefined && next.afterMs <= SOON_MS && chance() < 0.25;
    held = (holdsBack ? parts.pop() : undefined) ?? new Uint8Array();
    for (const [at, bytes] of parts.entries()) chunks.push({ afterMs: at === 0 ? burst.afterMs : 0, bytes });
  }
  return chunks;
}

/** Joins what comes at the same time. */
function burstsOf(pieces: readonly Piece[]): readonly Piece[] {
  const bursts: Piece[] = [];
  for (const piece of pieces) {
    const last = bursts.at(-1);
    if (last === undefined || piece.afterMs > 0) bursts.push(piece);
    else bursts[bursts.length - 1] = { afterMs: last.afterMs, bytes: join(last.bytes, piece.bytes) };
  }
  return bursts;
}

function cutAt(bytes: Uint8Array, chance: Chance): Uint8Array[] {
  const borders = [...randomBorders(bytes, chance)].sort((one, other) => one - other);
  const starts = [0, ...borders];
  return starts.map((start, index) => bytes.subarray(start, starts[index + 1]));
}

/** Up to two borders anywhere, and every second time one inside of a character, where there is any of several bytes. */
function randomBorders(bytes: Uint8Array, chance: Chance): ReadonlySet<number> {
  const borders = new Set<number>();
  for (let left = below(chance, 3); left > 0 && bytes.length > 1; left -= 1) {
    borders.add(1 + below(chance, bytes.length - 1));
  }
  const inside: number[] = [];
  for (const [index, byte] of bytes.entries()) if (index > 0 && isContinuation(byte)) inside.push(index);
  const border = inside[below(chance, inside.length)];
  if (border !== undefined && chance() < 0.5) borders.add(border);
  return borders;
}

function isContinuation(byte: number): boolean {
  return (byte & 0b1100_0000) === 0b1000_0000;
}

function join(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const joined = new Uint8Array(one.length + other.length);
  joined.set(one);
  joined.set(other, one.length);
  return joined;
}
