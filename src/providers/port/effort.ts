/** Reasoning efforts in rising order, in the words that most APIs share. */
export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** A reasoning effort, in the word that most APIs share. */
export type Effort = (typeof EFFORTS)[number];

/** What a request says of reasoning: it asks for it, it asks for none, or it leaves that to the model. */
export type ReasoningWish = 'asked' | 'refused' | 'unsaid';
