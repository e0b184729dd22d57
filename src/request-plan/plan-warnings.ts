import { create } from '@bufbuild/protobuf';

import { WarningCode, WarningSchema } from '../../gen/understudy/v1/routing_pb.ts';
import type { Warning } from '../../gen/understudy/v1/routing_pb.ts';
import type { ChainEntry, Serving } from '../engine/port/call.ts';
import { cataloguedId } from '../providers/models/catalogued-models.ts';
import type { AdapterWarning } from '../providers/port/adapter.ts';

/** What of a request an entry could not be asked as it stands. */
export interface EntryWarnings {
  readonly entry: ChainEntry;
  readonly list: readonly AdapterWarning[];
}

/**
 * Returns the warnings of an answer: that another model than the `requested` one has answered, and what the entry that answered
 * was asked otherwise than the request says.
 *
 * @param ownHost whether the target is its provider's own
 */
export function planWarnings(
  requested: string,
  warnings: readonly EntryWarnings[],
  serving: Serving,
  ownHost: boolean,
): Warning[] {
  const substituted = substitution(requested, serving);
  const another = ownHost || substituted.length > 0 ? substituted : otherModel(serving);
  return another.concat(ofEntry(warnings, serving));
}

/** The warning that a target has answered with another model than the requested one. */
function substitution(requested: string, { target, requestedModel }: Serving): Warning[] {
  if (requested === '' || requested === requestedModel || requested === `${target}/${requestedModel}`) return [];
  const code = WarningCode.MODEL_SUBSTITUTED;
  const message = 'The target does not have the requested model and answered with its own.';
  return [create(WarningSchema, { code, field: 'model', target, message })];
}

/**
 * The warning that a server has answered a model's well-known name with another model. Names that are alike are the same (a date,
 * a path or a tag more), unless both are well known or one is of another size, and those that nobody knows say nothing: they are the
 * operator's own.
 */
function otherModel({ target, model, requestedModel }: Serving): Warning[] {
  if (model === requestedModel) return [];
  const [asked, served] = [bareName(requestedModel), bareName(model)];
  const [askedId, servedId] = [cataloguedId(withoutTag(asked)), cataloguedId(withoutTag(served))];
  if (askedId === undefined || askedId === servedId) return [];
  const isAlike =
    (asked.includes(served) || served.includes(asked)) && (served === '' || sizeOf(asked) === sizeOf(served));
  if (servedId === undefined && isAlike) return [];
  const code = WarningCode.MODEL_SUBSTITUTED;
  const message = 'The server says that another model than the requested one has answered.';
  return [create(WarningSchema, { code, field: 'model', target, message })];
}

/** The word by which makers tell smaller models from larger ones of one name; the first that is there. */
function sizeOf(name: string): string | undefined {
  return /(?<=[-_.])(?:mini|nano|lite|micro|tiny|small|turbo|flash)(?=$|[-_.:@])/.exec(name)?.[0];
}

function bareName(model: string): string {
  return model.slice(model.lastIndexOf('/') + 1).toLowerCase();
}

/** As in `gpt-4o:extended`. */
function withoutTag(name: string): string {
  return name.replace(/:.*$/s, '');
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
