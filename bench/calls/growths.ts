import { scenarioOf } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

/** One size of what grows. */
export interface Step {
  readonly size: number;
  readonly scenario: Scenario;
  readonly inFlight: number;
}

/** Something that grows. */
export interface Axis {
  readonly title: string;
  /** What sizes are counted in. */
  readonly unit: string;
  /** Whether a call is made of so many units; otherwise calls of one kind come so many at a time. */
  readonly isWithinCall: boolean;
  /** From the smallest; large requests are made when they are asked for. */
  readonly steps: () => readonly Step[];
}

/** Bytes under way at most, where calls are large. */
const MOST_BYTES = 32_000_000;
const ANSWERS_KB = [1, 10, 100, 1_000, 10_000] as const;
/** The gateway takes prompts of 8 MiB at most. */
const PROMPTS_KB = [1, 10, 100, 1_000, 8_000] as const;

/** What can grow, by name. */
export const GROWTHS = {
  calls: {
    title: 'calls at a time',
    unit: 'at a time',
    isWithinCall: false,
    steps: () => [10, 100, 1_000].map((size) => ({ size, scenario: scenarioOf('chat'), inFlight: size })),
  },
  prompts: {
    title: 'size of the prompt',
    unit: 'KB',
    isWithinCall: true,
    steps: () => PROMPTS_KB.map((size) => large(size, scenarioOf('chat', size * 1_000))),
  },
  answers: {
    title: 'size of the answer',
    unit: 'KB',
    isWithinCall: true,
    steps: () => ANSWERS_KB.map((size) => large(size, scenarioOf(`chat-${size * 1_000}`))),
  },
  deltas: {
    title: 'deltas of a stream, none joined',
    unit: 'deltas',
    isWithinCall: true,
    steps: () =>
      [10, 100, 1_000, 10_000].map((size) => ({
        size,
        scenario: scenarioOf(`apart-${size}`),
        inFlight: Math.max(2, Math.min(64, 20_000 / size)),
      })),
  },
} as const satisfies Record<string, Axis>;

/** One of {@link GROWTHS}. */
export type Growth = keyof typeof GROWTHS;

function large(size: number, scenario: Scenario): Step {
  return { size, scenario, inFlight: Math.max(2, Math.min(64, Math.floor(MOST_BYTES / (size * 1_000)))) };
}
