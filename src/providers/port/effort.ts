/** Reasoning efforts in rising order, in the words that most APIs share. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** A reasoning effort, in the word that most APIs share. */
export type Effort = (typeof EFFORTS)[number];
