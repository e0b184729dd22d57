import { indexIn } from '../../shared/json/odd-value.ts';

/** Says to which tool call the fragments of one answer belong. */
export class CallSlots {
  /** The newest call at each index. */
  readonly #newest = new Map<number, { readonly key: string; readonly id: string }>();
  readonly #keys = new Map<string, string>();
  #count = 0;

  /**
   * Returns the key of the call of a fragment that stands at `position` among those of its event. Some servers give every call
   * the index 0, or none: where a fragment with a name has another id than the call that stands there, or neither id nor index,
   * it begins a further one. An id that no call has says nothing, since some servers make up a new one for every fragment.
   */
  keyOf(index: unknown, position: number, id: string, isNamed: boolean): string {
    const given = indexIn(index);
    const slot = given ?? position;
    const known = this.#newest.get(slot);
    if (known === undefined) return this.#begin(slot, id);
    if (given === undefined && id !== '') {
      const own = this.#keys.get(id);
      if (own !== undefined) return own;
    }
    const isOther = id === '' || known.id === '' ? given === undefined : id !== known.id;
    return isNamed && isOther ? this.#begin(slot, id) : known.key;
  }

  #begin(slot: number, id: string): string {
    this.#count += 1;
    const key = `call ${this.#count}`;
    this.#newest.set(slot, { key, id });
    if (id !== '') this.#keys.set(id, key);
    return key;
  }
}
