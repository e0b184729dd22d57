/** Does things one after the other, behind what goes on meanwhile. */
export interface Background {
  /** Adds something to do; what it returns ends as that does. */
  add<T>(run: () => Promise<T>): Promise<T>;
}

/** Makes one. A failure is for whoever waits for it, and holds up nothing. */
export function inBackground(): Background {
  let last: Promise<unknown> = Promise.resolve();
  return {
    add: (run) => {
      const result = last.then(run);
      last = result.catch(() => undefined);
      return result;
    },
  };
}
