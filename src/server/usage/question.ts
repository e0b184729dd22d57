import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { GetUsageRequest, UsageGrouping } from '../../../gen/understudy/v1/usage_service_pb.ts';
import { UsageDimension } from '../../../gen/understudy/v1/usage_service_pb.ts';
import { MAX_LABEL_KEY_LENGTH, MAX_LABELS } from '../../core/label-limits.ts';
import { periodOf } from '../../core/calendar.ts';
import type { UsageFilter, UsageKey } from '../../ledger/port/usage-queries.ts';
import { collectViolations, type Report, type Violation } from '../port/violations.ts';
import { fingerprintOf, readPageToken } from './page-token.ts';

/** A wish for sums, checked and with its defaults filled in. */
export interface UsageQuestion {
  readonly filter: UsageFilter;
  readonly keys: readonly UsageKey[];
  readonly limit: number;
  /** The keys of the last row of the page before; absent on the first page. */
  readonly after?: readonly string[] | undefined;
  /** The same for the same question alone: for the token of the next page. */
  readonly fingerprint: string;
}

/** Most rows in an answer, and how many there are where the request does not say. */
const MAX_ROWS = 10_000;
const DEFAULT_ROWS = 1_000;

const MAX_KEYS = 4;

/** Longest text to compare with: longer than all that the ledger has in its fields. */
const MAX_TEXT = 1_024;

/** Timestamps of protobuf: the years 1 to 9999, in seconds. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

/** What rows are told apart by but labels, as the contract has it and as the ledger does. */
export const DIMENSION_KEYS: ReadonlyMap<UsageDimension, Exclude<UsageKey, `label:${string}`>> = new Map([
  [UsageDimension.CALLER, 'caller'],
  [UsageDimension.GROUP, 'group'],
  [UsageDimension.PROVIDER, 'provider'],
  [UsageDimension.TARGET, 'target'],
  [UsageDimension.MODEL, 'model'],
  [UsageDimension.SERVICE_TIER, 'service_tier'],
  [UsageDimension.HOUR, 'hour'],
  [UsageDimension.DAY, 'day'],
  [UsageDimension.MONTH, 'month'],
]);
const DIMENSIONS = `${[...DIMENSION_KEYS.values()].join(', ')} or a label`;

/**
 * Reads a wish for sums.
 *
 * @param nowMs milliseconds since the epoch
 * @param caller whose usage alone is told; absent: everybody's
 * @returns all that is wrong with it, where something is
 */
export function readQuestion(
  request: GetUsageRequest,
  nowMs: number,
  caller?: string,
): UsageQuestion | readonly Violation[] {
  const keys: UsageKey[] = [];
  const equals = equalsOf(request, caller);
  let question: UsageQuestion | undefined;
  const violations = collectViolations((report) => {
    const start = readInstant(request.start, 'start', report);
    const end = readInstant(request.end, 'end', report);
    keys.push(...readKeys(request.groupBy, report));
    checkFilter(request, report);
    if (request.pageSize < 0) report('page_size', 'must not be negative');
    const fingerprint = fingerprintOf([keys, [...equals].map((pair) => JSON.stringify(pair)).sort(), start, end]);
    const page = request.pageToken === '' ? undefined : readPageToken(request.pageToken, fingerprint, keys.length);
    if (request.pageToken !== '' && page === undefined) {
      report('page_token', 'is no token of a page of this question; begin again');
    }
    const endMs = page?.endMs ?? end ?? nowMs;
    // What ends with a month is about that month.
    const startMs = page?.startMs ?? start ?? periodOf('month', end === undefined ? endMs : endMs - 1).startMs;
    if (startMs > endMs) report('start', 'must not be behind the end');
    const limit = request.pageSize === 0 ? DEFAULT_ROWS : Math.min(request.pageSize, MAX_ROWS);
    question = { filter: { startMs, endMs, equals }, keys, limit, after: page?.after, fingerprint };
  });
  return violations.length > 0 || question === undefined ? violations : question;
}

/** A bound between instants of whole milliseconds: what is finer belongs to the next one. */
function readInstant(time: Timestamp | undefined, field: string, report: Report): number | undefined {
  if (time === undefined) return undefined;
  const { seconds, nanos } = time;
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos > 999_999_999) {
    report(field, 'must be a time of the years 1 to 9999');
    return undefined;
  }
  return Number(seconds) * 1_000 + Math.ceil(nanos / 1_000_000);
}

function readKeys(groupBy: readonly UsageGrouping[], report: Report): readonly UsageKey[] {
  if (groupBy.length > MAX_KEYS) report('group_by', `must have at most ${MAX_KEYS} entries`);
  const keys: UsageKey[] = [];
  for (const [index, grouping] of groupBy.slice(0, MAX_KEYS).entries()) {
    const path = `group_by[${index}]`;
    const key = readKey(grouping, path, report);
    if (key === undefined) continue;
    if (keys.includes(key)) report(path, 'is there before');
    keys.push(key);
  }
  return keys;
}

function readKey({ dimension, label }: UsageGrouping, path: string, report: Report): UsageKey | undefined {
  if (dimension === UsageDimension.LABEL) {
    const isName = label !== '' && label.length <= MAX_LABEL_KEY_LENGTH && !label.includes('\0');
    if (!isName) report(`${path}.label`, `must name a label, in 1 to ${MAX_LABEL_KEY_LENGTH} characters`);
    return isName ? `label:${label}` : undefined;
  }
  const key = DIMENSION_KEYS.get(dimension);
  if (key === undefined) report(`${path}.dimension`, `must be one of ${DIMENSIONS}`);
  if (label !== '') report(`${path}.label`, 'is for USAGE_DIMENSION_LABEL alone');
  return key;
}

function equalsOf({ filter }: GetUsageRequest, caller: string | undefined): UsageFilter['equals'] {
  const equals = new Map<Exclude<UsageKey, 'hour' | 'day' | 'month'>, string>();
  if (filter !== undefined) {
    const { group, provider, target, model, serviceTier: service_tier } = filter;
    const fields = { caller: filter.caller, group, provider, target, model, service_tier };
    for (const name of ['caller', 'group', 'provider', 'target', 'model', 'service_tier'] as const) {
      if (fields[name] !== '') equals.set(name, fields[name]);
    }
    for (const [name, value] of Object.entries(filter.labels)) equals.set(`label:${name}`, value);
  }
  if (caller !== undefined) equals.set('caller', caller);
  return equals;
}

function checkFilter({ filter }: GetUsageRequest, report: Report): void {
  if (filter === undefined) return;
  const { caller, group, provider, target, model, serviceTier: service_tier } = filter;
  for (const [name, value] of Object.entries({ caller, group, provider, target, model, service_tier })) {
    checkText(`filter.${name}`, value, report);
  }
  const labels = Object.entries(filter.labels);
  if (labels.length > MAX_LABELS) report('filter.labels', `must have at most ${MAX_LABELS} entries`);
  for (const [name, value] of labels.slice(0, MAX_LABELS)) {
    const path = `filter.labels[${JSON.stringify(name.slice(0, MAX_LABEL_KEY_LENGTH))}]`;
    if (name === '' || name.length > MAX_LABEL_KEY_LENGTH || name.includes('\0')) {
      report(path, `the key must have 1 to ${MAX_LABEL_KEY_LENGTH} characters`);
    }
    checkText(path, value, report);
  }
}

function checkText(field: string, value: string, report: Report): void {
  if (value.length > MAX_TEXT) report(field, `must have at most ${MAX_TEXT} characters`);
  // No database has it in a text.
  if (value.includes('\0')) report(field, 'must not contain U+0000');
}
