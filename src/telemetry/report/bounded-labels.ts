import { MAX_LABEL_KEY_LENGTH, MAX_LABEL_VALUE_LENGTH, MAX_LABELS } from '../../core/label-limits.ts';
import { boundedText } from './bounded-text.ts';

/** Bounds the labels of a call, which is told of also where it was refused for them: 16, keys cut at 64 characters, values at 256. */
export function boundedLabels(labels: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(labels)
    .slice(0, MAX_LABELS)
    .map(([key, value]) => [boundedText(key, MAX_LABEL_KEY_LENGTH), boundedText(value, MAX_LABEL_VALUE_LENGTH)]);
}
