/** Most labels that a caller may put on a call. */
export const MAX_LABELS = 16;

/** Longest key of a label, in characters. */
export const MAX_LABEL_KEY_LENGTH = 64;

/** Longest value of a label, in characters. */
export const MAX_LABEL_VALUE_LENGTH = 256;
