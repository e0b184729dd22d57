/** Says what is wrong with a command line, in one sentence for the person who wrote it. Never holds a secret. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}
