/** Where the output of an attempt goes. */
export interface AttemptOutput<Output> {
  /** Called once, at the first meaningful output (engine rule G4). */
  commit(): void;
  /** Takes a piece of the answer; false asks to stop reading until `whenWritable` calls back. */
  deliver(value: Output): boolean;
  whenWritable(resume: () => void): void;
}
