/**
 * What a request does next. Decided in `after-attempt.ts` and `after-turns.ts` and nowhere else; the attempt loop carries it out.
 */
export type Decision =
  /** The request ends with the complete answer at hand, although it is not quite as asked. */
  | { readonly kind: 'ANSWER' }
  /** The same target is asked again, after a wait in milliseconds. */
  | {
      readonly kind: 'REPEAT';
      readonly waitMs: number;
      /** Whether it replaces a stale socket, which is free of charge (class C3). */
      readonly isReplacement: boolean;
      readonly begins: Beginning;
    }
  /** The same target is asked at once, free of charge, in another form (class C13). */
  | { readonly kind: 'REWRITE' }
  /** The same target is asked to mend its answer. */
  | { readonly kind: 'REPAIR'; readonly begins: Beginning }
  /** The next target of the chain has its turn. */
  | { readonly kind: 'NEXT'; readonly begins: Beginning }
  /** The chain is gone through once more, after a wait in milliseconds. */
  | { readonly kind: 'ROUND'; readonly waitMs: number }
  /**
   * Nothing more is tried. `isDecisive`: the last failure is what the caller is told; otherwise that is chosen from the trail
   * (engine rule B5).
   */
  | { readonly kind: 'GIVE_UP'; readonly isDecisive: boolean };

/**
 * How the next answer begins where some of the last one had come. AFRESH: nobody has seen it, and it is thrown away (engine rule
 * U3). RESTART: the caller has got some of it and is told that it no longer counts (P1a). NORMAL: nothing had come.
 */
export type Beginning = 'NORMAL' | 'AFRESH' | 'RESTART';
