import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 make all new objects young. Where objects of one place in the code have survived a few collections, as those of streams do in a moment of much
 * work, it makes the later ones old at once, and what each of them points to is kept until the next full collection
 * (docs/adr/0051-what-calls-leave-dies-young.md). Call it once the cache of compiled code is kept: with other flags V8 does not take from it.
 */
export function keepNewObjectsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
