import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 compile what is called often with one optimizing compiler, TurboFan, instead of two. Under a first load all of the program reaches
 * Maglev within a few calls, and what waits there takes 40 MiB at once (docs/adr/0046-memory-goes-back-after-a-load.md).
 * Call it once the cache of compiled code is kept: with other flags V8 does not take from it.
 */
export function useOneCompiler(): void {
  setFlagsFromString('--no-maglev');
}
