import type { Check, Made, Run } from '../facts.ts';
import { heldUpMs, TOLERANCE_MS } from '../facts.ts';

/** What the caller of a stream sees (engine rules G1 to G7, P1, X3, L6). */
export const STREAM_CHECKS: readonly Check[] = [
  {
    number: 15,
    says: 'the text is a prefix of the answer of one attempt, in its order and without gaps',
    watch: (_, fail) => {
      const check = (run: Run): void => {
        const { text, number } = currentAnswer(run);
        if (text === '') return;
        const source = run.made.find(({ call }) => text.startsWith(`${call.id}.`));
        if (source === undefined || !source.call.texts.join('').startsWith(text)) {
          fail(`run ${run.id} tells "${text}", which no call has said`);
        } else if (number !== undefined && numberOf(run, source.index) !== number) {
          fail(`run ${run.id} names attempt ${number}, but the text is of another`);
        }
      };
      return { told: check };
    },
  },
  {
    number: 16,
    says: 'before the first output nothing but pings, after contact and 15 s of silence; one beginning, and no second',
    watch: (facts, fail) => {
      const { runtime } = facts;
      const lastAtMs = new Map<Run, number>();
      return {
        told: (run, { what }) => {
          const count = run.told.filter((told) => told.what === 'started').length;
          if (what === 'output' && count !== 1) fail(`run ${run.id} tells output after ${count} beginnings`);
          if (count > 1) fail(`run ${run.id} begins twice`);
          const sinceMs = runtime.now() - (lastAtMs.get(run) ?? run.startedAtMs);
          if (what === 'ping' && sinceMs < 15_000 - TOLERANCE_MS) fail(`run ${run.id} pings after ${sinceMs} ms`);
          if (what === 'ping' && run.made.length === 0) fail(`run ${run.id} pings without contact`);
          if (what === 'restarted' && count !== 1) fail(`run ${run.id} starts afresh what has not begun`);
          if (what === 'restarted' && run.asked.onBroken !== 'RESTART') fail(`run ${run.id} starts afresh unasked`);
          lastAtMs.set(run, runtime.now());
        },
        // Silence towards the caller never lasts longer than a ping's interval, while a provider is at work.
        settled: (run) => {
          const sinceMs = (run.settledAtMs ?? 0) - (lastAtMs.get(run) ?? run.startedAtMs);
          const isPaused = run.made.some(({ call }) => call.pausedAtMs !== undefined || call.pausedMs > 0);
          const isAtWork = run.asked.streams && run.made.some(({ record }) => (record?.durationMs ?? 0) > 31_000);
          const slackMs = heldUpMs(facts, run.startedAtMs, run.settledAtMs ?? 0) + TOLERANCE_MS;
          if (isAtWork && !isPaused && sinceMs > 15_000 + slackMs) fail(`run ${run.id} is silent for ${sinceMs} ms`);
        },
      };
    },
  },
  {
    number: 17,
    says: 'text of another attempt comes only behind a new beginning, and without RESTART all of it is of one',
    watch: (_, fail) => ({
      told: (run, { what }) => {
        if (what !== 'output') return;
        const sources = run.told.map((told) => (told.what === 'output' ? told.text.split('.')[0] : told.what));
        const last = sources.findLastIndex((source) => source === 'started' || source === 'restarted');
        if (new Set(sources.slice(last + 1).filter((source) => source !== 'ping')).size > 1) {
          fail(`run ${run.id} changes its source without a word`);
        }
        if (run.asked.onBroken === 'FAIL' && sources.includes('restarted')) fail(`run ${run.id} starts afresh unasked`);
      },
    }),
  },
  {
    number: 18,
    says: 'what follows a new beginning is an answer from its first word on',
    watch: (_, fail) => ({
      told: (run, told) => {
        const before = run.told.at(-2)?.what;
        const isFirst = told.what === 'output' && (before === 'started' || before === 'restarted');
        if (isFirst && !/^\d+\.0 /.test(told.text)) fail(`run ${run.id} begins in the middle, with "${told.text}"`);
        if (told.what === 'restarted' && before === 'restarted') fail(`run ${run.id} starts afresh twice`);
      },
    }),
  },
  {
    number: 19,
    says: 'an answer is told as complete only behind its terminal marker',
    watch: (_, fail) => ({
      settled: (run, result) => {
        const last = run.made.at(-1)?.call;
        if (result.ok && last?.sawTerminal !== true) fail(`run ${run.id} succeeds on an answer without an end`);
        if (!result.ok || last === undefined) return;
        const text = run.asked.streams ? currentAnswer(run).text : result.outputs.join('');
        if (text !== last.texts.join('')) fail(`run ${run.id} gives "${text}" of "${last.texts.join('')}"`);
        if (result.empty !== (last.bytes === 0)) fail(`run ${run.id} tells wrongly whether the answer is empty`);
      },
    }),
  },
  {
    number: 20,
    says: 'a request ends once, and nothing follows',
    watch: (_, fail) => {
      const settled = new Set<Run>();
      return {
        told: (run, { what }) => {
          if (settled.has(run)) fail(`run ${run.id} tells ${what} behind its end`);
        },
        settled: (run) => {
          if (settled.has(run)) fail(`run ${run.id} ends twice`);
          settled.add(run);
        },
      };
    },
  },
  {
    number: 30,
    says: 'a stream whose caller does not read is not read either, and is no fault of the provider',
    watch: (_, fail) => ({
      told: (run, { what, writable }) => {
        if (what === 'output' && !writable) fail(`run ${run.id} tells output to a caller that has no room`);
      },
      ended: (run, { call }, { failure }) => {
        const isOurs = call.closedBy === 'abort' && call.pausedAtMs !== undefined && call.error === undefined;
        if (isOurs && (failure?.class === 'silence' || failure?.class === 'interrupted')) {
          fail(`run ${run.id} is told as ${failure.class} while its caller does not read`);
        }
      },
    }),
  },
  {
    number: 31,
    says: 'nothing is held back: what a provider has said is with the caller in the same turn',
    watch: (_, fail) => {
      const flowing = new Map<Run, Made>();
      return {
        delivered: (run, made, { type }) => {
          if (type === 'output' && run.asked.streams) flowing.set(run, made);
        },
        step: () => {
          for (const [run, { call }] of flowing) {
            if (run.cancelledAtMs !== undefined) continue;
            const { text } = currentAnswer(run);
            if (text !== call.texts.join('')) fail(`run ${run.id} has told "${text}" of "${call.texts.join('')}"`);
          }
          flowing.clear();
        },
      };
    },
  },
];

/** The text since the last beginning, and the number of the attempt that it is said to be of. */
function currentAnswer(run: Run): { readonly text: string; readonly number: number | undefined } {
  const from = run.told.findLastIndex(({ what }) => what === 'started' || what === 'restarted');
  const begun = run.told[from];
  const text = run.told
    .slice(from + 1)
    .map((told) => (told.what === 'output' ? told.text : ''))
    .join('');
  return { text, number: begun === undefined || !('serving' in begun) ? undefined : begun.serving.number };
}

/** The number of an attempt in the trail, where it is known: skips count as well. */
function numberOf(run: Run, index: number): number | undefined {
  const made = run.made[index];
  if (made?.record !== undefined) return made.record.number;
  const serving = run.told.findLast(({ what }) => what === 'started' || what === 'restarted');
  const isCurrent = serving !== undefined && 'serving' in serving && serving.serving.target === made?.call.target;
  return isCurrent ? serving.serving.number : undefined;
}
