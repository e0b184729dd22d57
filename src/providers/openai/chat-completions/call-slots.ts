import { indexIn } from '../../shared/json/odd-value.ts';
import { ToldArguments } from './told-arguments.ts';

/** A fragment of a call, as far as it says to which call it belongs; empty texts say nothing. */
interface SlottedFragment {
  readonly index: unknown;
  /** Its place among the fragments of its event. */
  readonly position: number;
  readonly id: string;
  readonly name: string;
  readonly argumentsFragment: string;
}

/** A call of which fragments have come. */
interface KnownCall {
  readonly key: string;
  readonly id: string;
  readonly name: string;
  readonly told: ToldArguments;
}

const NO_ARGUMENTS: ReadonlySet<string> = new Set(['{}', 'null']);

/** Says to which tool call the fragments of one answer belong. */
export class CallSlots {
  /** The newest call at each index. */
  readonly #newest = new Map<number, KnownCall>();
  readonly #byId = new Map<string, KnownCall>();
  #count = 0;

  /**
   * Returns the key of the call of a fragment, and what it adds to the arguments. Some servers give every call the index 0, or
   * none: where a fragment with a name has another id than the call that stands there, or neither id nor index, it begins a
   * further one; also where the arguments of that call are whole. But one of the same name, behind arguments that are half
   * told, goes on with them, since some servers repeat the name, or make up a new id, with every fragment. Whole arguments that
   * come once more add nothing, nor does a beginning that says of arguments that there are none: some servers tell them behind it.
   */
  take(fragment: SlottedFragment): { readonly key: string; readonly argumentsFragment: string } {
    const call = this.#callOf(fragment);
    const { argumentsFragment } = fragment;
    const isNone = call.told.isEmpty && NO_ARGUMENTS.has(argumentsFragment);
    if (isNone || call.told.isRepeatedBy(argumentsFragment)) return { key: call.key, argumentsFragment: '' };
    call.told.push(argumentsFragment);
    return { key: call.key, argumentsFragment };
  }

  #callOf(fragment: SlottedFragment): KnownCall {
    const { index, position, id, name } = fragment;
    const given = indexIn(index);
    const slot = given ?? position;
    const known = this.#newest.get(slot);
    if (known === undefined) return this.#begin(slot, id, name);
    const own = given === undefined && id !== '' ? this.#byId.get(id) : undefined;
    if (own !== undefined) return own;
    return name !== '' && beginsAnother(known, fragment, given) ? this.#begin(slot, id, name) : known;
  }

  #begin(slot: number, id: string, name: string): KnownCall {
    this.#count += 1;
    const call = { key: `call ${this.#count}`, id, name, told: new ToldArguments() };
    this.#newest.set(slot, call);
    if (id !== '') this.#byId.set(id, call);
    return call;
  }
}

/** Whether a fragment with a name is none of the newest call at its place. */
function beginsAnother(known: KnownCall, fragment: SlottedFragment, given: number | undefined): boolean {
  const { id, name, argumentsFragment } = fragment;
  if (id !== '' && id === known.id) return false;
  const isSameName = name === known.name;
  if (isSameName && known.told.isHalf) return false;
  if (id !== '' && known.id !== '') return true;
  if (given === undefined) return true;
  // Nothing tells the two apart but that the one before is whole.
  if (known.name === '' || !known.told.isWhole) return false;
  return !isSameName || (argumentsFragment.trim() !== '' && !known.told.isRepeatedBy(argumentsFragment));
}
