import { MODEL_NAME } from '../core/model-id.ts';
import type { Timers } from '../core/ports.ts';
import type { Target } from '../targets/target.ts';
import type { ListedModel, ModelList } from '../providers/port/adapter.ts';

/** A list is read again after so many milliseconds, and after a failure. */
const FRESH_MS = 6 * 3_600_000;
const RETRY_MS = 600_000;
/** How long the reading of one list may take, in milliseconds. */
const READ_MS = 10_000;
/** Requests go first: a list that one of them could have used is read so many milliseconds later. */
const SOON_MS = 1_000;
/** Bounds of one list: models, and those asked for one by one. */
const MOST_MODELS = 2_000;
const MOST_DETAILS = 64;

/** What is known of one target's list. */
interface TargetList {
  readonly target: Target;
  readonly list: ModelList;
  models: ReadonlyMap<string, ListedModel>;
  nextReadAtMs: number;
  reading: Promise<void> | undefined;
}

const UNREAD = { models: new Map<string, ListedModel>(), nextReadAtMs: Number.NEGATIVE_INFINITY };

/**
 * The models that targets list themselves: read in the background when somebody could use them, every six hours at most, bounded
 * in size and time. No request ever waits for them. Mocks are not asked: their models are made up.
 */
export class TargetLists {
  readonly #runtime: Timers;
  readonly #lists = new Map<string, TargetList>();
  readonly #abort = new AbortController();
  #soon: object | number | undefined;
  #learnt = 0;

  /**
   * @param runtime its timers need not keep the process alive
   * @param before what was read of targets until now; it still holds of those that are kept
   */
  constructor(runtime: Timers, targets: Iterable<Target>, before?: TargetLists, isKept = (_target: string) => true) {
    this.#runtime = runtime;
    for (const target of targets) {
      const { config, adapter } = target;
      if (config.mock || adapter.modelList === undefined) continue;
      const list = adapter.modelList;
      const known = before === undefined || !isKept(config.name) ? undefined : before.#lists.get(config.name);
      const { models, nextReadAtMs } = known ?? UNREAD;
      this.#lists.set(config.name, { target, list, models, nextReadAtMs, reading: undefined });
    }
  }

  /** How many lists have been read since the start: each may tell of other models than the one before. */
  get learnt(): number {
    return this.#learnt;
  }

  /** Returns a model of a target's list; undefined where it is not there, or was not read yet. */
  find(target: string, model: string): ListedModel | undefined {
    const models = this.#lists.get(target)?.models;
    // Ollama's names end in a tag, which callers leave out where it is the usual one.
    return models?.get(model) ?? models?.get(`${model}:latest`);
  }

  /** Returns all models of a target's list as last read. */
  of(target: string): Iterable<ListedModel> {
    return this.#lists.get(target)?.models.values() ?? [];
  }

  /** Reads what is due, a moment later. */
  readSoon(): void {
    if (this.#soon !== undefined || this.#abort.signal.aborted || !this.#isAnyDue()) return;
    this.#soon = this.#runtime.setTimer(SOON_MS, () => {
      this.#soon = undefined;
      void this.#readDue();
    });
  }

  /** Reads what is due, and resolves when it is there, or after `ms` milliseconds; the reading then goes on. Never rejects. */
  async read(ms: number): Promise<void> {
    const { promise: elapsed, resolve } = Promise.withResolvers<void>();
    const timer = this.#runtime.setTimer(ms, resolve);
    await Promise.race([this.#readDue(), elapsed]);
    this.#runtime.clearTimer(timer);
  }

  /** Ends what is under way, and begins nothing more. */
  close(): void {
    if (this.#soon !== undefined) this.#runtime.clearTimer(this.#soon);
    this.#abort.abort();
  }

  #isAnyDue(): boolean {
    const now = this.#runtime.now();
    return this.#lists.values().some((list) => isDue(list, now));
  }

  async #readDue(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    const now = this.#runtime.now();
    for (const list of this.#lists.values().filter((one) => isDue(one, now))) {
      list.reading = this.#readOne(list).finally(() => {
        list.reading = undefined;
      });
    }
    await Promise.all([...this.#lists.values()].flatMap(({ reading }) => reading ?? []));
  }

  async #readOne(list: TargetList): Promise<void> {
    const abort = new AbortController();
    const stop = (): void => {
      abort.abort();
    };
    this.#abort.signal.addEventListener('abort', stop, { once: true });
    const timer = this.#runtime.setTimer(READ_MS, stop);
    let models: ReadonlyMap<string, ListedModel> | undefined;
    try {
      models = await readModels(list, abort.signal);
    } catch {
      // A list that cannot be read is one that nobody has given.
    } finally {
      this.#runtime.clearTimer(timer);
      this.#abort.signal.removeEventListener('abort', stop);
    }
    if (models !== undefined) {
      list.models = models;
      this.#learnt += 1;
    }
    list.nextReadAtMs = this.#runtime.now() + (models === undefined ? RETRY_MS : FRESH_MS);
  }
}

function isDue({ reading, nextReadAtMs }: TargetList, now: number): boolean {
  return reading === undefined && now >= nextReadAtMs;
}

async function readModels(
  { target, list }: TargetList,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ListedModel> | undefined> {
  const reply = await target.upstream.ask({ path: list.path }, signal);
  if (reply?.status !== 200) return undefined;
  const json: unknown = JSON.parse(reply.body);
  const models = list
    .read(json, target.config.ownHost)
    // A pattern stands for models, and is none: LiteLLM's proxy lists `openai/*`.
    .filter(({ id }) => MODEL_NAME.test(id) && !id.includes('*'))
    .slice(0, MOST_MODELS);
  const { details } = list;
  if (details === undefined) return new Map(models.map((model) => [model.id, model]));
  const known = new Map<string, ListedModel>();
  for (const [index, model] of models.entries()) {
    const asked =
      index < MOST_DETAILS
        ? await target.upstream.ask({ path: details.path, body: details.body(model.id) }, signal)
        : undefined;
    const detailed = asked?.status === 200 ? details.read(model.id, JSON.parse(asked.body)) : model;
    if (detailed !== undefined) known.set(model.id, detailed);
  }
  // Half of the answers would be taken for all of them.
  return signal.aborted ? undefined : known;
}
