import { mulberry32 } from '../support/virtual-runtime.ts';

/** What a target answers to the call of an id: known on both sides, different for every target and every call. */
export function wordsOf(target: string, id: number): readonly string[] {
  const random = mulberry32(id);
  const count = 5 + Math.floor(random() * 30);
  return Array.from(
    { length: count },
    (_, index) => `${target}·${id}·${index}·${'é🎭x'.repeat(Math.floor(random() * 4))} `,
  );
}

/** The prompt of a call, by which the upstream finds its id. */
export function promptOf(id: number): string {
  return `call ${id}.`;
}

/** Finds the id in a request that holds a prompt. */
export function idIn(body: string): number {
  return Number(/call (\d+)\./.exec(body)?.[1] ?? Number.NaN);
}
