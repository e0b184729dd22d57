import { ABORT_WITHIN_MS, CLIENT_CASES } from '../cases.ts';
import type { CountedGateway, Stage } from '../stage/stage.ts';
import type { CaseReport } from './program.ts';
import { isCallerCase, judgeCallerCase } from './judge-callers.ts';
import { runCases } from './program.ts';
import type { ConformanceProgram } from './recipes.ts';

/** So much earlier than the line that tells of it, in milliseconds, a reset may come. */
const BEFORE_MS = 500;

/** Calls none of the gateways whose calls are counted. */
const WARM_UP = 'generate';

/** How a case came out: `ok`, or what went wrong. */
export type Verdict = { readonly ok: true; readonly detail: string } | { readonly ok: false; readonly detail: string };

/** What the retry matrix says of a case in a language. */
export interface RetryCount {
  readonly case: string;
  readonly calls: number;
  readonly code: string;
  readonly reason: string;
  readonly ms: number;
}

/** What came of the cases of one language. */
export interface LanguageOutcome {
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly retries: readonly RetryCount[];
}

/** Each case of the retry matrix: which gateway is asked, and how many calls it must see. */
const RETRY_CASES: Readonly<
  Record<
    string,
    { readonly gateway: CountedGateway; readonly calls: (count: number) => boolean; readonly wish: string }
  >
> = {
  'retry-before': { gateway: 'refusing', calls: (count) => count > 1, wish: 'more than one' },
  'retry-after': { gateway: 'contacted', calls: (count) => count === 1, wish: 'one' },
  'retry-late': { gateway: 'closed', calls: (count) => count === 1, wish: 'one' },
};

/** Runs the cases that are asked for and judges also what only the other side can see. */
export async function judgeLanguage(
  program: ConformanceProgram,
  names: readonly string[],
  stage: Stage,
): Promise<LanguageOutcome> {
  const isAlone = (name: string): boolean => CLIENT_CASES.some((each) => each.name === name && each.alone);
  const verdicts = new Map<string, Verdict>();
  const retries: RetryCount[] = [];
  const together = names.filter((name) => !isAlone(name));
  if (together.length > 0) {
    const reports = await runCases(program, together, stage.env);
    for (const [name, report] of reports) verdicts.set(name, judge(name, report, stage));
  }
  for (const name of names.filter(isAlone)) {
    if (name === 'rolling') verdicts.set(name, await judgeRolling(program, stage));
    else if (isCallerCase(name)) verdicts.set(name, await judgeCallerCase(name, WARM_UP, program, stage));
    else if (name === 'decoded-error') {
      const env = { ...stage.env, UNDERSTUDY_ADDRESS: stage.limitedAddress };
      for (const [each, report] of await runCases(program, [name], env)) verdicts.set(each, judge(each, report, stage));
    } else {
      const { verdict, count } = await judgeRetry(name, program, stage);
      verdicts.set(name, verdict);
      if (count !== undefined) retries.push(count);
    }
  }
  return { verdicts, retries };
}

function judge(name: string, report: CaseReport, stage: Stage): Verdict {
  const detail = textOf(report.detail);
  if (!report.ok || (name !== 'cancel' && name !== 'left-loop')) return { ok: report.ok, detail };
  const { leftAtMs } = report;
  if (leftAtMs === undefined) return { ok: false, detail: 'it did not say when it left' };
  const aborted = stage.words.abortedAtMs.find((atMs) => atMs > leftAtMs - BEFORE_MS);
  const afterMs = aborted === undefined ? undefined : Math.round(aborted - leftAtMs);
  if (afterMs === undefined || afterMs > ABORT_WITHIN_MS) {
    return { ok: false, detail: `the provider was told ${afterMs === undefined ? 'never' : `after ${afterMs} ms`}` };
  }
  return { ok: true, detail: `the provider was told after ${Math.max(afterMs, 0)} ms` };
}

async function judgeRolling(program: ConformanceProgram, stage: Stage): Promise<Verdict> {
  const stop = new AbortController();
  const replaced = stage.replaceOneOfPair(stop.signal);
  const reports = await runCases(program, ['rolling'], stage.env);
  stop.abort();
  const exitCode = await replaced;
  const report = reports.get('rolling');
  if (report?.ok !== true) return { ok: false, detail: textOf(report?.detail) };
  return exitCode === 0
    ? { ok: true, detail: textOf(report.detail) }
    : { ok: false, detail: `the gateway ended with ${exitCode}` };
}

async function judgeRetry(name: string, program: ConformanceProgram, stage: Stage) {
  const recipe = RETRY_CASES[name];
  if (recipe === undefined) throw new Error(`there is no case ${name}`);
  const env =
    recipe.gateway === 'refusing'
      ? { ...stage.env, UNDERSTUDY_CLOSED_ADDRESS: stage.addressOf('refusing') }
      : stage.env;
  const release = recipe.gateway === 'refusing' ? await stage.holdSlot() : () => undefined;
  const before = await stage.callsAt(recipe.gateway);
  const providerBefore = stage.providerCalls();
  // A call that goes before: a program's first one may take longer than the deadline of the case.
  const report = (await runCases(program, [WARM_UP, name], env)).get(name);
  const calls = (await stage.callsAt(recipe.gateway)) - before;
  release();
  const told = parseDetail(report?.detail);
  if (report === undefined || told === undefined) {
    return { verdict: { ok: false, detail: textOf(report?.detail) } satisfies Verdict, count: undefined };
  }
  const count = { case: name, calls, ...told };
  const said = `${calls} calls, ${told.code} ${told.reason} after ${told.ms} ms`;
  const wrong = recipe.calls(calls) ? '' : `; ${recipe.wish} should have come`;
  const provider = stage.providerCalls() - providerBefore;
  const billed = name === 'retry-after' && provider !== 1 ? `; the provider was called ${provider} times` : '';
  const late = name === 'retry-late' && told.ms > LATE_MS ? '; it should have come back at once' : '';
  return { verdict: verdictOf(wrong + billed + late, said), count };
}

/** What comes back at once comes back within this, on a busy machine too; who waits as it is asked to takes a minute. */
const LATE_MS = 20_000;

function verdictOf(wrong: string, said: string): Verdict {
  return { ok: wrong === '', detail: said + wrong };
}

function parseDetail(detail: unknown): { code: string; reason: string; ms: number } | undefined {
  if (typeof detail !== 'object' || detail === null || !('code' in detail) || !('ms' in detail)) return undefined;
  return { code: String(detail.code), reason: 'reason' in detail ? String(detail.reason) : '', ms: Number(detail.ms) };
}

function textOf(detail: unknown): string {
  return typeof detail === 'string' ? detail : (JSON.stringify(detail) ?? 'it said nothing');
}
