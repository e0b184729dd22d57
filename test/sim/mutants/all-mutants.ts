import { ADMISSION_MUTANTS } from './admission-mutants.ts';
import { ANSWER_MUTANTS } from './answer-mutants.ts';
import { CLASS_MUTANTS } from './class-mutants.ts';
import type { Mutant } from './mutant.ts';
import { REQUEST_MUTANTS } from './request-mutants.ts';
import { TARGET_MUTANTS } from './target-mutants.ts';
import { TIMES_MUTANTS } from './times-mutants.ts';

/** Every mutant, by the groups of the rules: A, B, C, X, R, K, G, U, P, L, D. */
export const ALL_MUTANTS: readonly Mutant[] = [
  ...ADMISSION_MUTANTS,
  ...REQUEST_MUTANTS,
  ...CLASS_MUTANTS,
  ...TIMES_MUTANTS,
  ...TARGET_MUTANTS,
  ...ANSWER_MUTANTS,
];
