/** A program in a page. */
export interface CodeBlock {
  /** The language as the page names it: `ts`, `python`. */
  readonly language: string;
  readonly code: string;
  /** Line of the page on which it begins. */
  readonly line: number;
  /** The file that its first line names, such as `build.rs`; nothing where it names none. */
  readonly file: string | undefined;
}

/** Returns the blocks of code of a page, in order. */
export function blocksOf(page: string): readonly CodeBlock[] {
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    line: page.slice(0, index).split('\n').length,
    file: /^(?:\/\/|#) ([\w/]+\.\w+)\n/.exec(code)?.[1],
  }));
}

/** Has a program call another gateway than the one that `npm start` starts. */
export function pointedAt(code: string, grpcAddress: string): string {
  return code.replaceAll('127.0.0.1:50051', grpcAddress);
}
