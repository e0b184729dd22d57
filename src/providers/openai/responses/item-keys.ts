import { indexIn, nameIn } from '../../shared/json/odd-value.ts';
import type { JsonRecord } from '../../shared/json/value.ts';
import { asRecord } from '../../shared/json/value.ts';

/** Kinds of items that events are about; any other is known by its type. */
export type ItemKind = 'message' | 'function_call' | 'reasoning' | (string & {});

interface KnownItem {
  readonly key: string;
  readonly kind: ItemKind;
  hasId: boolean;
  /** Whether an event has said that it begins, and none that it ends. */
  isOpen: boolean;
}

/**
 * Says which item of one response an event is about. Some servers name it by `item_id` alone, some by `output_index` with ids
 * that change, and the response at the end of a stream by neither, but in the same order.
 */
export class ItemKeys {
  readonly #byId = new Map<string, KnownItem>();
  readonly #byIndex = new Map<number, KnownItem>();
  readonly #items: KnownItem[] = [];

  /** Returns the key of the item of an event; `begins`: the event says that a new one begins. */
  keyOf(event: JsonRecord, kind: ItemKind, begins = false): string {
    const own = begins ? undefined : this.#byId.get(nameIn(event.item_id));
    if (own !== undefined && own.kind === kind) return own.key;
    const item = asRecord(event.item);
    const id = nameIn(event.item_id) || nameIn(item?.id);
    const index = indexIn(event.output_index);
    const known = this.#known(id, index, kind, begins) ?? this.#begin(kind, begins);
    if (index !== undefined) this.#byIndex.set(index, known);
    this.#learn(known, [id, nameIn(item?.call_id)]);
    return known.key;
  }

  /** Takes note that nothing more is told of an item. */
  close(key: string): void {
    const item = this.#items[Number(key)];
    if (item !== undefined) item.isOpen = false;
  }

  /** Returns the keys of the items of a whole response, in order: of those that events were about, the ones that these had. */
  keysOf(items: readonly JsonRecord[]): readonly string[] {
    const left = new Set(this.#items);
    const found = items.map((item, position) => {
      const kind = nameIn(item.type);
      const named = [item.id, item.call_id]
        .map((id) => this.#byId.get(nameIn(id)))
        .find((known) => known !== undefined);
      const known = named ?? this.#byIndex.get(position);
      if (known?.kind !== kind || !left.delete(known)) return undefined;
      return known;
    });
    return items.map((item, position) => {
      const kind = nameIn(item.type);
      const known = found[position] ?? left.values().find((other) => other.kind === kind) ?? this.#begin(kind, false);
      left.delete(known);
      return known.key;
    });
  }

  #known(id: string, index: number | undefined, kind: ItemKind, begins: boolean): KnownItem | undefined {
    const byId = this.#byId.get(id);
    if (byId !== undefined && byId.kind === kind) return byId;
    const byIndex = index === undefined ? undefined : this.#byIndex.get(index);
    if (byIndex !== undefined) {
      const isOther = byIndex.kind !== kind || (begins && id !== '' && byIndex.hasId);
      return isOther ? undefined : byIndex;
    }
    if (begins || index !== undefined) return undefined;
    const newest = this.#items.findLast((item) => item.kind === kind);
    // An id that nobody knows, while an item is under way: some servers make up a new one for every event.
    return id === '' || newest?.isOpen === true ? newest : undefined;
  }

  #begin(kind: ItemKind, isOpen: boolean): KnownItem {
    const item = { key: String(this.#items.length), kind, hasId: false, isOpen };
    this.#items.push(item);
    return item;
  }

  #learn(item: KnownItem, ids: readonly string[]): void {
    for (const id of ids) {
      if (id === '' || this.#byId.has(id)) continue;
      this.#byId.set(id, item);
      item.hasId = true;
    }
  }
}
