import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type GetUsageRequest,
  UsageDimension,
  UsageFilterSchema,
  type UsageGrouping,
  UsageGroupingSchema,
} from '../../../gen/understudy/v1/usage_service_pb.ts';
import { parseUtcTime, UTC_TIME_RULE } from '../../core/formats/utc-time.ts';
import type { Report } from '../port/violations.ts';

/** The filters by their names in a URL. */
const FILTERS = {
  caller: 'caller',
  group: 'group',
  provider: 'provider',
  target: 'target',
  model: 'model',
  service_tier: 'serviceTier',
} as const;

/** What rows are told apart by, by its name in a URL. */
const DIMENSIONS: Readonly<Record<string, UsageDimension>> = {
  caller: UsageDimension.CALLER,
  group: UsageDimension.GROUP,
  provider: UsageDimension.PROVIDER,
  target: UsageDimension.TARGET,
  model: UsageDimension.MODEL,
  service_tier: UsageDimension.SERVICE_TIER,
  hour: UsageDimension.HOUR,
  day: UsageDimension.DAY,
  month: UsageDimension.MONTH,
};

const LABEL = 'label:';

/**
 * Fills a wish for sums with what the query of a URL says: `start`, `end`, `group_by` with commas, and filters by their names,
 * `label:team=…` for labels.
 */
export function readCsvQuery(query: URLSearchParams, request: GetUsageRequest, report: Report): void {
  const filter = create(UsageFilterSchema);
  request.filter = filter;
  const seen = new Set<string>();
  for (const [name, value] of query) {
    if (seen.has(name)) report(name, 'is there twice');
    seen.add(name);
    if (name === 'start' || name === 'end') {
      // A plus that was not encoded has become a space.
      const ms = parseUtcTime(value.replace(/ (?=\d{2}:\d{2}$)/, '+'));
      if (ms === undefined) report(name, UTC_TIME_RULE);
      else request[name] = timestampFromMs(ms);
    } else if (name === 'group_by') request.groupBy = value === '' ? [] : value.split(',').map(readGrouping);
    else if (name.startsWith(LABEL)) filter.labels[name.slice(LABEL.length)] = value;
    else if (isFilter(name)) filter[FILTERS[name]] = value;
    else
      report(name, `is no parameter; there are start, end, group_by, label:NAME, ${Object.keys(FILTERS).join(', ')}`);
  }
}

function readGrouping(text: string): UsageGrouping {
  if (text.startsWith(LABEL)) {
    return create(UsageGroupingSchema, { dimension: UsageDimension.LABEL, label: text.slice(LABEL.length) });
  }
  const dimension = Object.hasOwn(DIMENSIONS, text) ? DIMENSIONS[text] : undefined;
  return create(UsageGroupingSchema, { dimension: dimension ?? UsageDimension.UNSPECIFIED });
}

function isFilter(name: string): name is keyof typeof FILTERS {
  return Object.hasOwn(FILTERS, name);
}
