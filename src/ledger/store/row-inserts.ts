import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';

import { type PeriodBounds, periodOf } from '../../core/calendar.ts';
import { partsOfRow } from '../journal/row-encoder.ts';
import { OWN_COLUMNS, SHARED_COLUMNS, type UsageColumn } from '../schema/columns.ts';

/** What attempts of a month have in common that is remembered: of callers and models there may be many. */
const MOST_KINDS = 10_000;

/** Rows that one statement takes: each statement costs as much as a third of a row. */
const ROWS_AT_ONCE = 25;

const INSERT_SHARED = `INSERT INTO usage_shared (text, until_ms, ${namesOf(SHARED_COLUMNS)}) VALUES (?, ?, ${SHARED_COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`;
const FIND_SHARED = 'SELECT id FROM usage_shared WHERE text = ?';

/**
 * The rows of one transaction, put together for its statements. What it does not bring to its end is not there. What attempts have in common
 * stands once for each month of UTC, so that it goes when the rows of the month have gone, and nobody has to look for them.
 */
export class RowInserts {
  readonly #file: DatabaseSync;
  readonly #many: StatementSync;
  /** Of the month. */
  readonly #ids = new Map<string, SQLInputValue>();
  #month: PeriodBounds = { startMs: 0, endMs: 0 };
  #kind = '';
  #id: SQLInputValue = null;
  #texts: string[] = [];
  #shared: SQLInputValue[] = [];

  constructor(file: DatabaseSync) {
    this.#file = file;
    this.#many = file.prepare(insertOf(ROWS_AT_ONCE));
  }

  /** Adds rows as the journal has them; what one has in common with the row before it may be left out. */
  add(rows: readonly string[]): void {
    for (const row of rows) {
      const { shared, own } = partsOfRow(row);
      const isOtherMonth = this.#enterMonth(Number(own.slice(1, own.indexOf(','))));
      if (shared !== '') this.#kind = shared;
      if (shared !== '' || isOtherMonth) this.#id = this.#idOfKind();
      this.#shared.push(this.#id);
      if (this.#texts.push(own) < ROWS_AT_ONCE) continue;
      this.#many.run(...valuesOfRows(this.#texts, this.#shared));
      this.#texts = [];
      this.#shared = [];
    }
  }

  /** Writes what waits for other rows. */
  end(): void {
    const one = this.#file.prepare(insertOf(1));
    this.#texts.forEach((text, at) => {
      one.run(...valuesOfRows([text], [this.#shared[at] ?? null]));
    });
  }

  /** Has rows be of the month of an instant; returns whether that is another than before. What is no instant has none, and no end of it. */
  #enterMonth(atMs: number): boolean {
    if (atMs >= this.#month.startMs && atMs < this.#month.endMs) return false;
    this.#month = periodOf('month', atMs);
    this.#ids.clear();
    return true;
  }

  /** Returns the number of what attempts of the month have in common, which is given where it has none; null where that is not told. */
  #idOfKind(): SQLInputValue {
    const kind = this.#kind;
    const known = this.#ids.get(kind);
    if (known !== undefined || kind === '') return known ?? null;
    const { endMs } = this.#month;
    const find = this.#file.prepare(FIND_SHARED);
    const text = `${endMs} ${kind}`;
    const found = find.get(text);
    if (found === undefined) this.#file.prepare(INSERT_SHARED).run(text, endMs, ...sharedValuesOf(kind));
    const id = (found ?? find.get(text))?.['id'] ?? null;
    if (this.#ids.size >= MOST_KINDS) this.#ids.clear();
    this.#ids.set(kind, id);
    return id;
  }
}

/** Read together, rows cost a third less than one by one. */
function valuesOfRows(texts: readonly string[], shared: readonly SQLInputValue[]): SQLInputValue[] {
  const rows: readonly (readonly SQLInputValue[])[] = JSON.parse(`[${texts.join(',')}]`);
  const values: SQLInputValue[] = [];
  rows.forEach((row, index) => {
    // What an older version has journaled lacks the last values, and what a newer one has has more.
    for (let at = 0; at < OWN_COLUMNS.length; at++) values.push(row[at] ?? null);
    values.push(shared[index] ?? null);
  });
  return values;
}

/**
 * `OR FAIL`, since whatever fails is taken back with its whole transaction: where SQLite has to be able to take back a statement by itself, it first
 * writes every page that this changes to a file, which makes rows whose request ids are in no order half as dear again.
 */
function insertOf(count: number): string {
  const places = `(${OWN_COLUMNS.map(() => '?').join(', ')}, ?)`;
  const all = Array.from({ length: count }, () => places).join(', ');
  return `INSERT OR FAIL INTO usage_rows (${namesOf(OWN_COLUMNS)}, shared_id) VALUES ${all} ON CONFLICT DO NOTHING`;
}

function sharedValuesOf(text: string): SQLInputValue[] {
  const values: readonly SQLInputValue[] = JSON.parse(text);
  return SHARED_COLUMNS.map((_column, at) => values[at] ?? null);
}

function namesOf(columns: readonly UsageColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}
