import { CostSchema, CostSource } from '../../gen/understudy/v1/usage_pb.ts';
import type { Cost } from '../../gen/understudy/v1/usage_pb.ts';
import type { CostBounds } from '../core/money.ts';
import { BYTES_PER_TOKEN, type TokenUsage } from '../core/ports.ts';
import type { AttemptRecord, ChainEntry } from '../engine/port/call.ts';
import { AnswerLengths } from './answer-lengths.ts';
import { believableUsage, withEstimates } from './believable-usage.ts';
import { costOf, findPrice, isAtListPrice, listNanoUsdOf } from './cost.ts';
import { TokenEstimator } from './estimate.ts';
import { modelKey, ModelMemory } from './model-memory.ts';
import { mostCost } from './most-cost.ts';
import type { PriceFallback } from './price-fallback.ts';
import type { PriceTable } from './price-table.ts';
import type { PromptSize } from './prompt-size.ts';

/** What attempts cost, what targets have cost since start, and how many tokens prompts probably have (engine rule D3). */
export class Accounting {
  readonly #prices: PriceTable;
  readonly #fallback: PriceFallback;
  readonly #wall: () => number;
  readonly #estimator: TokenEstimator;
  readonly #answers: AnswerLengths;
  readonly #keys = new ModelMemory(modelKey);
  readonly #costOfTarget: Map<string, bigint>;
  readonly #accounted = new WeakMap<AttemptRecord, PricedCost>();
  readonly #estimated = new WeakMap<AttemptRecord, TokenUsage>();
  readonly #foreign: ReadonlySet<string>;
  /** Entries whose prices are there, or on their way. */
  readonly #expected = new WeakSet<PricedEntry>();

  /**
   * @param wall milliseconds since the epoch: some prices depend on the hour
   * @param targets which of them are their provider's own: what that charges says nothing of others. Default: all
   * @param before by other prices: what it has learnt and added up, the two share from now on
   */
  constructor(
    prices: PriceTable,
    fallback: PriceFallback,
    wall: () => number,
    targets: readonly { readonly name: string; readonly ownHost: boolean }[] = [],
    before?: Accounting,
  ) {
    this.#estimator = before === undefined ? new TokenEstimator() : before.#estimator;
    this.#answers = before === undefined ? new AnswerLengths() : before.#answers;
    this.#costOfTarget = before === undefined ? new Map() : before.#costOfTarget;
    this.#foreign = new Set(targets.filter(({ ownHost }) => !ownHost).map(({ name }) => name));
    this.#wall = wall;
    this.#prices = prices;
    this.#fallback = fallback;
  }

  /** Returns the likely tokens of a prompt for a model. */
  promptTokens(provider: string, model: string, size: PromptSize): number {
    return this.#estimator.estimate(this.#keys.of(provider, model), size.bytes, size.messages) + size.mediaTokens;
  }

  /**
   * Hears that an entry will be asked: where the table has no price of its model, but the fallback may have one, that is loaded in the
   * background, so that it is there when the answer is.
   */
  expect(entry: PricedEntry): void {
    if (this.#expected.has(entry)) return;
    this.#expected.add(entry);
    const { provider, target, model } = entry;
    const ownHost = !this.#foreign.has(target);
    // A deployment of Azure's has whatever name its owner gave it: what it costs shows in its answer.
    const mayNeedFallback = ownHost && provider !== 'azure-openai' && this.#fallback.mayKnow(provider);
    if (!mayNeedFallback || findPrice(this.#prices, { provider, target, ownHost, model }).entry !== undefined) return;
    void this.#fallback.ready();
  }

  /** Tells whether a call will probably cost no more than `limitUsd`; false where its price is unknown. */
  isWithin(limitUsd: number, entry: ChainEntry, size: PromptSize, outputTokens: number): boolean {
    const { provider, target, model } = entry;
    const estimate = { inputTokens: this.promptTokens(provider, model, size), outputTokens };
    const ownHost = !this.#foreign.has(target);
    const priced = { provider, target, ownHost, model, estimate, wallMs: this.#wall() };
    const { nanoUsd } = costOf(this.#prices, priced, this.#fallback);
    return nanoUsd !== undefined && Number(nanoUsd) <= limitUsd * 1e9;
  }

  /**
   * Returns what a call costs at most, and at least; undefined where its price is unknown.
   *
   * @param answer its longest answer in tokens, and whether the request bounds it; otherwise answers of late are asked
   */
  costBounds(
    { provider, target, model }: ChainEntry,
    size: PromptSize,
    answer: { readonly tokens: number; readonly isBounded: boolean },
    serviceTiers: readonly string[],
  ): CostBounds | undefined {
    const { isBounded, tokens } = answer;
    const asked = { provider, target, ownHost: !this.#foreign.has(target), model };
    const most = {
      prompt: this.#estimator.most(this.#keys.of(provider, model), size.bytes, size.messages) + size.mediaTokens,
      answer: isBounded ? tokens : this.#answers.most(this.#keys.of(provider, model), tokens),
      isBounded,
      serviceTiers,
    };
    return mostCost(this.#prices, asked, most, this.#fallback);
  }

  /**
   * Accounts for an attempt: learns from its count, prices it, and adds it to its target. The same record again changes nothing
   * and has the same cost. Undefined: nothing was called.
   */
  account(attempt: AttemptRecord, size: PromptSize): Cost | undefined {
    if (attempt.kind === 'SKIPPED') return undefined;
    const known = this.#accounted.get(attempt);
    if (known !== undefined) return known.cost;
    const priced = this.#price(attempt, size);
    const { cost } = priced;
    this.#accounted.set(attempt, priced);
    if (cost.nanoUsd !== undefined) {
      const { target } = attempt.entry;
      this.#costOfTarget.set(target, (this.#costOfTarget.get(target) ?? 0n) + cost.nanoUsd);
    }
    return cost;
  }

  /**
   * Returns the usage of an answer with estimates where its provider's counts are missing or cannot be true; undefined where they
   * stand as reported, where it reported none, and before the attempt was accounted for.
   */
  estimatedUsage(attempt: AttemptRecord): TokenUsage | undefined {
    return this.#estimated.get(attempt);
  }

  /**
   * Returns what the tokens of an accounted attempt cost at the provider's list price for its usual tier, whatever the configuration
   * or the tier made of it, in nano-USD; undefined where the table has none.
   */
  listNanoUsd(attempt: AttemptRecord): bigint | undefined {
    return this.#accounted.get(attempt)?.listNanoUsd;
  }

  #price(attempt: AttemptRecord, size: PromptSize): PricedCost {
    const { entry } = attempt;
    const usage = believableUsage(attempt.usage, attempt.outputBytes);
    const estimate = {
      inputTokens: this.promptTokens(entry.provider, entry.model, size),
      outputTokens: outputTokensOf(attempt),
    };
    const priced = {
      provider: entry.provider,
      target: entry.target,
      ownHost: !this.#foreign.has(entry.target),
      model: entry.model,
      reportedModel: attempt.reportedModel,
      usage: isCutOff(attempt) ? { ...usage, outputTokens: undefined } : usage,
      estimate,
      wallMs: attempt.startedAtWallMs,
      neverSent: attempt.failure?.neverSent === true || wasRefused(attempt),
    };
    const { nanoUsd, source, priceTableVersion } = costOf(this.#prices, priced, this.#fallback);
    if (usage !== undefined && attempt.failure === undefined) {
      if (usage.outputTokens !== undefined) {
        this.#answers.learn(this.#keys.of(entry.provider, entry.model), usage.outputTokens);
      }
      const whole = withEstimates(usage, estimate);
      if (whole !== undefined) this.#estimated.set(attempt, whole);
    }
    // What images and files take is only guessed at, so that text can be learned of where it is alone.
    if (usage?.inputTokens !== undefined && size.mediaTokens === 0) {
      this.#estimator.learn(this.#keys.of(entry.provider, entry.model), size.bytes, size.messages, usage.inputTokens);
    }
    const cost: Cost = { $typeName: CostSchema.typeName, nanoUsd, source: CostSource[source], priceTableVersion };
    return {
      cost,
      listNanoUsd: isAtListPrice(this.#prices, priced) ? nanoUsd : listNanoUsdOf(this.#prices, priced),
    };
  }

  /** Returns what a target has cost since start in nano-USD; undefined while nothing is known. */
  costOfTarget(target: string): bigint | undefined {
    return this.#costOfTarget.get(target);
  }
}

/** What of an entry decides its price. */
type PricedEntry = Pick<ChainEntry, 'provider' | 'target' | 'model'>;

/** What an attempt cost, and what its tokens cost at the list price. */
interface PricedCost {
  readonly cost: Cost;
  readonly listNanoUsd: bigint | undefined;
}

/** Whether an answer broke off, was cancelled or thrown away in its middle: what its provider has counted is not all of it. */
function isCutOff({ failure, outputBytes, phase }: AttemptRecord): boolean {
  return failure !== undefined && outputBytes > 0 && phase !== 'TAIL';
}

/** What was delivered, or what the provider has counted of it, whichever is more. */
function outputTokensOf({ outputBytes, usage }: AttemptRecord): number {
  return Math.max(Math.ceil(outputBytes / BYTES_PER_TOKEN), usage?.outputTokens ?? 0);
}

/** Any status but a success's is not billed; only the evaluation of a prompt that a filter then refused is. */
function wasRefused({ failure, httpStatus = 200 }: AttemptRecord): boolean {
  return failure !== undefined && failure.class !== 'content' && (httpStatus < 200 || httpStatus > 299);
}
