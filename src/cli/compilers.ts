import { setFlagsFromString } from 'node:v8';

/** Each is safe to change while code runs; what was compiled before stays. */
const FLAGS = [
  // Under a first load all of the program reaches Maglev within a few calls, and what waits there takes 40 MiB at once
  // (docs/adr/0046-memory-goes-back-after-a-load.md).
  '--no-maglev',
  // V8 lets TurboFan wait for 3,000 invocations because Maglev helps until then, and has bounds of inlining for programs that run for
  // seconds (docs/adr/0048-turbofan-comes-early-and-inlines-more.md).
  '--invocation-count-for-turbofan=1000',
  '--max-inlined-bytecode-size=700',
  '--max-inlined-bytecode-size-cumulative=2400',
] as const;

/**
 * Has V8 compile what is called often with one optimizing compiler, TurboFan, instead of two, and that one sooner and more at once. Call it
 * once the cache of compiled code is kept: with other flags V8 does not take from it.
 */
export function tuneCompilers(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
