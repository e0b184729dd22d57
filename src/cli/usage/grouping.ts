import { create } from '@bufbuild/protobuf';

import {
  UsageDimension,
  type UsageGrouping,
  UsageGroupingSchema,
} from '../../../gen/understudy/v1/usage_service_pb.ts';

const LABEL = 'label:';

/** The dimensions by their names on a command line, such as `service_tier`. */
const DIMENSIONS: ReadonlyMap<string, UsageDimension> = new Map(
  Object.entries(UsageDimension)
    .filter(([, dimension]) => dimension !== UsageDimension.UNSPECIFIED && dimension !== UsageDimension.LABEL)
    .map(([name, dimension]) => [name.toLowerCase(), dimension]),
);

/** By what rows can be told apart, for people. */
export const GROUPING_RULE = `must be a list of ${[...DIMENSIONS.keys()].join(', ')} or label:NAME`;

/** Reads by what rows are told apart, such as `caller,day`; undefined where one of them is none. */
export function parseGroupings(text: string): readonly UsageGrouping[] | undefined {
  const names = text === '' ? [] : text.split(',');
  const groupings = names.flatMap((name) => {
    const label = name.startsWith(LABEL) ? name.slice(LABEL.length) : '';
    const dimension = label === '' ? DIMENSIONS.get(name.replaceAll('-', '_')) : UsageDimension.LABEL;
    return dimension === undefined ? [] : create(UsageGroupingSchema, { dimension, label });
  });
  return groupings.length === names.length ? groupings : undefined;
}

/** Writes by what rows are told apart, as the heading of a column. */
export function nameOfGrouping({ dimension, label }: UsageGrouping): string {
  if (dimension === UsageDimension.LABEL) return `${LABEL}${label}`;
  return [...DIMENSIONS].find(([, known]) => known === dimension)?.[0] ?? '';
}

/** Writes what a row is alike in, for people: times without what is the same in all of them, and `-` for what is empty. */
export function shownKey({ dimension }: UsageGrouping, key: string): string {
  if (dimension === UsageDimension.HOUR) return key.slice(0, 16).replace('T', ' ');
  if (dimension === UsageDimension.DAY) return key.slice(0, 10);
  if (dimension === UsageDimension.MONTH) return key.slice(0, 7);
  return key === '' ? '-' : key;
}
