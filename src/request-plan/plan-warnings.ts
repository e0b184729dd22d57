import { create } from '@bufbuild/protobuf';

import { WarningCode, WarningSchema } from '../../gen/understudy/v1/routing_pb.ts';
import type { Warning } from '../../gen/understudy/v1/routing_pb.ts';
import type { ChainEntry, Serving } from '../engine/port/call.ts';
import type { AdapterWarning } from '../providers/port/adapter.ts';

/** What of a request an entry could not be asked as it stands. */
export interface EntryWarnings {
  readonly entry: ChainEntry;
  readonly list: readonly AdapterWarning[];
}

/**
 * Returns the warnings of an answer: that its target has another model than the `requested` one, and what the entry that
 * answered was asked otherwise than the request says.
 */
export function planWarnings(requested: string, warnings: readonly EntryWarnings[], serving: Serving): Warning[] {
  return substitution(requested, serving).concat(ofEntry(warnings, serving));
}

/** The warning that a target has answered with another model than the requested one. */
function substitution(requested: string, { target, requestedModel }: Serving): Warning[] {
  if (requested === '' || requested === requestedModel || requested === `${target}/${requestedModel}`) return [];
  const code = WarningCode.MODEL_SUBSTITUTED;
  const message = 'The target does not have the requested model and answered with its own.';
  return [create(WarningSchema, { code, field: 'model', target, message })];
}

function ofEntry(warnings: readonly EntryWarnings[], serving: Serving): Warning[] {
  // An entry that was written anew was asked as its last request says.
  const asked = warnings.findLast(
    ({ entry }) => entry.target === serving.target && entry.model === serving.requestedModel,
  );
  if (asked === undefined) return [];
  const { entry, list } = asked;
  return list.map(({ code, field, message }) => create(WarningSchema, { code, field, target: entry.target, message }));
}
