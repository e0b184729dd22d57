import { BYTES_PER_TOKEN } from '../core/ports.ts';

/** Most keys remembered; the one that was learned of longest ago goes first. */
const MOST_KEYS = 1_000;
/** Weight of the newest observation. */
const WEIGHT = 0.2;
/** Tokens of a message apart from its text. */
const TOKENS_PER_MESSAGE = 4;
/** Shorter prompts say more about a provider's own additions than about its tokens. */
const LEAST_BYTES = 256;
/** From one token per 20 bytes to two tokens per byte: what lies outside is no text. */
const RANGE = [0.05, 2] as const;

const BYTES_PER_TOKEN_OF_NEW_CLAUDE = 2.8;
const ANTHROPIC = 'anthropic/';
const CLAUDE = /^anthropic\/claude-[a-z]+-(\d+)(?:-(\d{1,2}))?(?=-|$)/;

/**
 * Guesses tokens from bytes, and learns from what providers report. The first guess is 3.5 bytes per token (2.8 for Claude
 * since 4.7, whose tokenizer makes about 30 % more), and 4 tokens per message; then a moving average of what was reported.
 */
export class TokenEstimator {
  readonly #tokensPerByte = new Map<string, number>();

  /**
   * Returns the likely input tokens of a prompt, rounded up. `key` is `provider/model`, `bytes` the UTF-8 length of all text,
   * tools and schemas included.
   */
  estimate(key: string, bytes: number, messages: number): number {
    const tokensPerByte = this.#tokensPerByte.get(key) ?? firstTokensPerByte(key);
    return Math.ceil(bytes * tokensPerByte) + TOKENS_PER_MESSAGE * messages;
  }

  /** Returns what {@link estimate} does, but at least its first guess: callers may choose what it learns from, and share it. */
  most(key: string, bytes: number, messages: number): number {
    return Math.max(this.estimate(key, bytes, messages), firstEstimate(key, bytes, messages));
  }

  /** Learns that a prompt of so many bytes and messages had `inputTokens`. Prompts under 256 bytes are passed over. */
  learn(key: string, bytes: number, messages: number, inputTokens: number): void {
    const observed = (inputTokens - TOKENS_PER_MESSAGE * messages) / bytes;
    if (bytes < LEAST_BYTES || !(observed >= RANGE[0] && observed <= RANGE[1])) {
      return;
    }
    const known = this.#tokensPerByte.get(key);
    const before = known ?? firstTokensPerByte(key);
    // Set anew, the key is the youngest of the map; while there is room for all, age decides nothing.
    if (known !== undefined && this.#tokensPerByte.size > MOST_KEYS / 2) this.#tokensPerByte.delete(key);
    this.#tokensPerByte.set(key, before + WEIGHT * (observed - before));
    if (this.#tokensPerByte.size <= MOST_KEYS) return;
    const [oldest] = this.#tokensPerByte.keys();
    if (oldest !== undefined) this.#tokensPerByte.delete(oldest);
  }
}

function firstEstimate(key: string, bytes: number, messages: number): number {
  return Math.ceil(bytes * firstTokensPerByte(key)) + TOKENS_PER_MESSAGE * messages;
}

function firstTokensPerByte(key: string): number {
  if (!key.startsWith(ANTHROPIC)) return 1 / BYTES_PER_TOKEN;
  const [, major = '0', minor = '0'] = CLAUDE.exec(key) ?? [];
  const isNewClaude = Number(major) > 4 || (Number(major) === 4 && Number(minor) >= 7);
  return 1 / (isNewClaude ? BYTES_PER_TOKEN_OF_NEW_CLAUDE : BYTES_PER_TOKEN);
}
