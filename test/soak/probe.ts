/** Loaded into the process under test, with `--expose-gc`: tells its parent, when asked, what the process holds on to. */

/** What a process holds after a collection of garbage. */
export interface Holdings {
  readonly heapBytes: number;
  readonly residentBytes: number;
  readonly externalBytes: number;
  /** Sockets, timers and other things that keep the event loop busy, by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

process.on('message', () => {
  // Finalizers that the first collection queues are done by the second.
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    const { heapUsed, rss, external } = process.memoryUsage();
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
    const holdings: Holdings = { heapBytes: heapUsed, residentBytes: rss, externalBytes: external, resources };
    process.send?.(holdings);
  });
});
