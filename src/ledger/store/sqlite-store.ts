import { Worker } from 'node:worker_threads';

import type { SqliteReply, SqliteTask } from './sqlite-worker.ts';
import { StoreError, type StoreFault, type StoredRow, type UsageStore, type WrittenFile } from './usage-store.ts';

/** SQLite's result codes that say that the rows are to blame (constraint, mismatch), or the file that was configured. */
const OF_ROWS: ReadonlySet<number> = new Set([19, 20]);
const OF_SETTINGS: ReadonlySet<number> = new Set([3, 8, 14, 23, 26]);
const OF_FILES: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'EROFS', 'EISDIR', 'ENOTDIR', 'EPERM']);

interface Asked {
  readonly task: SqliteTask['kind'];
  readonly resolve: (rows: readonly StoredRow[]) => void;
  readonly reject: (error: StoreError) => void;
}

/** Keeps usage in a file of SQLite, written and read by a thread of its own. A program that has nothing else to do may end. */
export class SqliteStore implements UsageStore {
  readonly dialect = 'sqlite';
  readonly #path: string;
  readonly #asked = new Map<number, Asked>();
  #worker: Worker | undefined;
  #lastId = 0;

  /** @param path of the file, which is made where there is none */
  constructor(path: string) {
    this.#path = path;
  }

  async open(): Promise<void> {
    await this.#ask({ kind: 'open' });
  }

  async write(rows: readonly string[]): Promise<void> {
    await this.#ask({ kind: 'write', rows });
  }

  async writeFile(path: string): Promise<WrittenFile> {
    const [count, ...damaged] = await this.#ask({ kind: 'write file', path });
    return {
      rows: Number(count?.['rows']),
      damaged: damaged.map(({ text }) => (typeof text === 'string' ? text : '')),
    };
  }

  read(sql: string, values: readonly (string | number | bigint | null)[]): Promise<readonly StoredRow[]> {
    return this.#ask({ kind: 'read', sql, values });
  }

  async prune(beforeMs: number): Promise<boolean> {
    return (await this.#ask({ kind: 'prune', beforeMs })).length > 0;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    await this.#ask({ kind: 'close' }).catch(() => undefined);
    this.#worker = undefined;
    await worker.terminate();
  }

  #ask(task: SqliteTask): Promise<readonly StoredRow[]> {
    this.#worker ??= this.#start();
    const worker = this.#worker;
    const id = ++this.#lastId;
    // Only what was asked and is not answered keeps the process alive.
    worker.ref();
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { task: task.kind, resolve, reject });
      worker.postMessage({ id, task }, []);
    });
  }

  #start(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './sqlite-worker.ts' : './sqlite-worker.js';
    // Older versions of Node say at every start that their SQLite is experimental.
    const execArgv = [...process.execArgv, '--disable-warning=ExperimentalWarning'];
    const worker = new Worker(new URL(file, import.meta.url), { workerData: this.#path, execArgv, env: {} });
    worker.on('message', (reply: SqliteReply) => this.#answered(reply));
    const failed = (): void => this.#failed(worker);
    worker.on('error', failed);
    worker.on('exit', failed);
    return worker;
  }

  #answered(reply: SqliteReply): void {
    const asked = this.#asked.get(reply.id);
    this.#asked.delete(reply.id);
    if (this.#asked.size === 0) this.#worker?.unref();
    if ('rows' in reply) asked?.resolve(reply.rows);
    else asked?.reject(new StoreError(reply.text, faultOf(reply, asked.task)));
  }

  #failed(worker: Worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(new StoreError('the thread of the store has ended'));
  }
}

function faultOf(
  { errcode, text }: { readonly errcode: number; readonly text: string },
  task: SqliteTask['kind'],
): StoreFault {
  const primary = errcode & 0xff;
  // What cannot be read then is the journal's file.
  const isOfJournal = task === 'write file' && OF_FILES.has(text);
  if (OF_SETTINGS.has(primary) || (OF_FILES.has(text) && !isOfJournal)) return 'settings';
  return task.startsWith('write') && OF_ROWS.has(primary) ? 'rows' : 'gone';
}
